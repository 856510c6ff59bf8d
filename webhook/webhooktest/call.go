package webhooktest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// maxAnswer is how much of the body of an answer is read. The body is discarded.
const maxAnswer = 1 << 20

// A call is a request that a sender can send several times.
type call struct {
	method string
	url    *url.URL
	header http.Header // as sent, without Host and Content-Length
	body   []byte
}

// newCall returns a POST. Its error wraps ErrTarget and does not contain the
// target, because that may contain a token.
func newCall(target string, header http.Header, body []byte) (call, error) {
	u, err := url.Parse(target)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return call{}, fmt.Errorf("%w: want an absolute http or https URL", ErrTarget)
	}
	return call{http.MethodPost, u, header, body}, nil
}

// request returns the request, without credentials and cookies.
func (c call) request(ctx context.Context) (*http.Request, error) {
	var body io.Reader
	if len(c.body) > 0 {
		body = bytes.NewReader(c.body)
	}
	r, err := http.NewRequestWithContext(ctx, c.method, c.url.String(), body)
	if err != nil {
		return nil, fmt.Errorf("%w: the URL cannot be called", ErrTarget)
	}
	r.URL.User = nil
	r.Header = c.header.Clone()
	if _, ok := r.Header["User-Agent"]; !ok {
		r.Header["User-Agent"] = []string{""} // keeps net/http from adding its own
	}
	return r, nil
}

// send sends the request once, without credentials and cookies, and follows no
// redirect. It reads and closes the body of the answer.
func (c call) send(ctx context.Context, rt http.RoundTripper) (*http.Response, error) {
	r, err := c.request(ctx)
	if err != nil {
		return nil, err
	}
	resp, err := rt.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode == http.StatusSwitchingProtocols {
		return resp, nil // its body is the connection, and no context ends a read of it
	}
	if _, err := io.Copy(io.Discard, io.LimitReader(resp.Body, maxAnswer)); err != nil {
		return nil, err
	}
	return resp, nil
}

// redirected returns the call to which an answer redirects, and false if it does
// not. After 301, 302 and 303 the call is a GET without body and Content-Type. All
// other headers are kept.
func (c call) redirected(resp *http.Response) (call, bool) {
	switch resp.StatusCode {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther,
		http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
	default:
		return call{}, false
	}
	text := resp.Header.Get("Location")
	if text == "" {
		return call{}, false
	}
	to, err := c.url.Parse(text)
	if err != nil {
		return call{}, false
	}
	next := call{c.method, to, c.header, c.body}
	if resp.StatusCode < http.StatusTemporaryRedirect {
		next.method, next.body = http.MethodGet, nil
		next.header = c.header.Clone()
		next.header.Del("Content-Type")
	}
	return next, true
}

// A sendFunc makes the requests of one call and adds the status of each answer to
// the attempt.
type sendFunc func(ctx context.Context, c call, a *Attempt) (*http.Response, error)

// once returns a sendFunc that makes one request.
func once(rt http.RoundTripper) sendFunc {
	return func(ctx context.Context, c call, a *Attempt) (*http.Response, error) {
		resp, err := c.send(ctx, rt)
		if err == nil {
			a.Statuses = append(a.Statuses, resp.StatusCode)
		}
		return resp, err
	}
}

// attempt makes one attempt, in which it follows up to the given number of
// redirects. If that is zero, a redirect is the final answer.
func attempt(ctx context.Context, c call, redirects int, send sendFunc) Attempt {
	a := Attempt{At: time.Now()}
	for followed := 0; ; followed++ {
		resp, err := send(ctx, c, &a)
		if err != nil {
			a.Err = err
			return a
		}
		next, ok := c.redirected(resp)
		if !ok || redirects == 0 {
			a.Status = resp.StatusCode
			return a
		}
		if followed == redirects {
			a.Err = fmt.Errorf("%w: more than %d", ErrRedirects, redirects)
			return a
		}
		c = next
	}
}

// transportOf returns rt, or a new transport if rt is nil, and a func that closes
// the idle connections of a new one. It does not ask for compressed answers unless
// the sender's own headers do.
func transportOf(rt http.RoundTripper) (http.RoundTripper, func()) {
	if rt != nil {
		return rt, func() {}
	}
	t := &http.Transport{DisableCompression: true}
	return t, t.CloseIdleConnections
}
