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

// maxAnswer is how much of an answer's body is read; none of it is looked at.
const maxAnswer = 1 << 20

// A call is one request of a sender, before it is sent.
type call struct {
	method string
	url    *url.URL
	header http.Header // exactly what is sent, less Host and Content-Length
	body   []byte
}

// newCall returns a POST. The error wraps ErrTarget and does not repeat the
// target, which may hold a token.
func newCall(target string, header http.Header, body []byte) (call, error) {
	u, err := url.Parse(target)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return call{}, fmt.Errorf("%w: not an absolute http or https URL", ErrTarget)
	}
	return call{http.MethodPost, u, header, body}, nil
}

// send makes one exchange, without credentials, cookies and redirects. It has
// read the answer's body when it returns.
func (c call) send(ctx context.Context, rt http.RoundTripper) (*http.Response, error) {
	var body io.Reader
	if len(c.body) > 0 {
		body = bytes.NewReader(c.body)
	}
	r, err := http.NewRequestWithContext(ctx, c.method, c.url.String(), body)
	if err != nil {
		return nil, fmt.Errorf("%w: not a URL that can be called", ErrTarget)
	}
	r.URL.User = nil
	r.Header = c.header.Clone()
	if _, ok := r.Header["User-Agent"]; !ok {
		r.Header["User-Agent"] = []string{""} // keeps net/http from adding its own
	}
	resp, err := rt.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	if _, err := io.Copy(io.Discard, io.LimitReader(resp.Body, maxAnswer)); err != nil {
		return nil, err
	}
	return resp, nil
}

// redirected returns the call that an answer leads to, and false where it leads
// nowhere. After 301, 302 and 303 that is a GET without body and without the
// headers that speak of one; all other headers go along.
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

// A sendFunc makes the exchanges that one call takes and adds each answer's
// status to the attempt.
type sendFunc func(ctx context.Context, c call, a *Attempt) (*http.Response, error)

// once is the sendFunc of a sender that takes an answer as it is.
func once(rt http.RoundTripper) sendFunc {
	return func(ctx context.Context, c call, a *Attempt) (*http.Response, error) {
		resp, err := c.send(ctx, rt)
		if err == nil {
			a.Statuses = append(a.Statuses, resp.StatusCode)
		}
		return resp, err
	}
}

// attempt makes one try and follows at most redirects of them; with zero a
// redirect is the final answer.
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
			a.Err = fmt.Errorf("%w: %d followed", ErrRedirects, redirects)
			return a
		}
		c = next
	}
}

// transportOf returns rt, or a fresh transport with the func that ends its
// connections. Real senders do not ask for compressed answers unless they say
// so, hence neither does it.
func transportOf(rt http.RoundTripper) (http.RoundTripper, func()) {
	if rt != nil {
		return rt, func() {}
	}
	t := &http.Transport{DisableCompression: true}
	return t, t.CloseIdleConnections
}
