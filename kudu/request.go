package kudu

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/hookhouse/hookhouse/internal/api"
)

// A request describes a call of the site's API.
type request struct {
	method string
	path   []string // escaped segments
	body   any      // encoded as JSON; nil means no body
	etag   string   // of the answer that the caller has; empty means none
}

// hookPath returns the path of the hooks, or of one below it. The routes also
// exist without "api", but are deprecated (Kudu: NinjectServices.cs).
func hookPath(segments ...string) []string { return apiPath(append([]string{"hooks"}, segments...)...) }

func apiPath(segments ...string) []string {
	path := []string{"api"}
	for _, s := range segments {
		path = append(path, url.PathEscape(s))
	}
	return path
}

// A reply is an answer that reports no failure.
type reply struct {
	unchanged bool // 304: the caller has it
	header    http.Header
	text      []byte
}

// call makes a call and decodes the answer into data. If data is nil, it
// ignores the content of the answer.
func (c *Client) call(ctx context.Context, req request, data any) error {
	got, err := c.send(ctx, req)
	if err != nil || data == nil {
		return err
	}
	if err := json.Unmarshal(got.text, data); err != nil {
		// The text of err may quote a string in the answer, such as a hook's
		// URL.
		return fmt.Errorf("%w: not the JSON of a hook", ErrAnswer)
	}
	return nil
}

// send makes a call. The error is a [*StatusError] if the answer reports a
// failure.
func (c *Client) send(ctx context.Context, req request) (reply, error) {
	ctx, cancel := context.WithTimeout(ctx, api.OrDefault(c.Timeout, defaultTimeout))
	defer cancel()
	r, err := c.newRequest(ctx, req)
	if err != nil {
		return reply{}, err
	}
	resp, err := api.Send(c.Transport, r)
	if err != nil {
		return reply{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	got := reply{header: resp.Header}
	if req.etag != "" && resp.StatusCode == http.StatusNotModified {
		got.unchanged = true
		return got, nil
	}
	if api.IsRedirect(resp.StatusCode) {
		return reply{}, &StatusError{Code: resp.StatusCode}
	}
	got.text, err = api.ReadAll(ctx, resp.Body, api.OrDefault(c.MaxAnswer, defaultMaxAnswer), ErrTooLarge)
	if err != nil {
		return reply{}, err
	}
	if !api.IsSuccess(resp.StatusCode) {
		return reply{}, newStatusError(resp.StatusCode, resp.Header, got.text)
	}
	return got, nil
}

func (c *Client) newRequest(ctx context.Context, req request) (*http.Request, error) {
	var body io.Reader
	if req.body != nil {
		text, err := json.Marshal(req.body)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(text)
	}
	r, err := http.NewRequestWithContext(ctx, req.method, c.site.JoinPath(req.path...).String(), body)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Accept", "application/json")
	if req.etag != "" {
		r.Header.Set("If-None-Match", req.etag)
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if c.credentials != nil {
		header, err := c.credentials(ctx)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errCredentials, err)
		}
		r.Header.Set("Authorization", string(header.Reveal()))
	}
	return r, nil
}

// isSegment reports whether text can be one segment of a path.
func isSegment(text string) bool { return text != "" && text != "." && text != ".." }

// parseURL parses an absolute http or https URL. Its error does not contain the
// text.
func parseURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || !api.IsAbsolute(u) {
		return nil, errors.New("not an absolute http or https URL")
	}
	return u, nil
}
