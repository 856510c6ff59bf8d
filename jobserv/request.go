package jobserv

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/hookhouse/hookhouse/internal/api"
)

// maxRedirects is the maximum number of redirects in one call.
const maxRedirects = 5

// open fetches a URL and returns the answer, whatever its status, with its body
// unread. It follows redirects among the servers of the Client. If storage is
// true, it also follows a redirect to any other host, since JobServ stores logs
// elsewhere. It never follows one from https to http, and sends the token only
// to the servers.
func (c *Client) open(ctx context.Context, text string, storage bool, header http.Header) (*http.Response, error) {
	u, err := url.Parse(text)
	if err != nil {
		return nil, errURL
	}
	if u, err = c.allow(u); err != nil {
		return nil, err
	}
	for range maxRedirects + 1 {
		resp, err := c.send(ctx, u, header)
		if err != nil {
			return nil, err
		}
		if !api.IsRedirect(resp.StatusCode) {
			return resp, nil
		}
		_ = resp.Body.Close()
		u, err = c.redirect(u, resp, storage)
		if err != nil {
			return nil, err
		}
	}
	return nil, fmt.Errorf("%w: more than %d redirects", ErrAnswer, maxRedirects)
}

// send makes one request, with the token if the URL belongs to one of the
// servers.
func (c *Client) send(ctx context.Context, u *url.URL, header http.Header) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, errURL
	}
	for name, values := range header {
		r.Header[name] = values
	}
	o, err := originOf(u)
	if err != nil {
		return nil, err
	}
	if c.knows(o) && !c.token.IsZero() {
		if c.TokenHeader != "" {
			r.Header.Set(c.TokenHeader, string(c.token.Reveal()))
		} else {
			r.Header.Set("Authorization", "Bearer "+string(c.token.Reveal()))
		}
	}
	return api.Send(c.Transport, r)
}

// redirect returns the target of a redirect, or an error if it is not allowed.
func (c *Client) redirect(from *url.URL, resp *http.Response, storage bool) (*url.URL, error) {
	text := resp.Header.Get("Location")
	if text == "" {
		return nil, &StatusError{Code: resp.StatusCode}
	}
	to, err := from.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%w: redirect to an invalid URL", ErrAnswer)
	}
	if storage {
		_, err = originOf(to)
	} else {
		to, err = c.allow(to)
	}
	if err != nil {
		return nil, fmt.Errorf("redirect: %w", err)
	}
	if from.Scheme == "https" && to.Scheme == "http" {
		return nil, fmt.Errorf("%w: redirect from https to http", ErrHost)
	}
	return to, nil
}

func (c *Client) timeout() time.Duration {
	return api.OrDefault(c.Timeout, defaultTimeout)
}
