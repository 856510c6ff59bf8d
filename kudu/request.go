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

// A request describes a call of the hooks API.
type request struct {
	method string
	path   []string // escaped segments below api/hooks
	body   any      // encoded as JSON; nil means no body
}

// call makes a call and decodes the answer into data. If data is nil, it
// ignores the content of the answer.
func (c *Client) call(ctx context.Context, req request, data any) error {
	ctx, cancel := context.WithTimeout(ctx, api.OrDefault(c.Timeout, defaultTimeout))
	defer cancel()
	r, err := c.newRequest(ctx, req)
	if err != nil {
		return err
	}
	resp, err := api.Send(c.Transport, r)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if api.IsRedirect(resp.StatusCode) {
		return &StatusError{Code: resp.StatusCode}
	}
	text, err := api.ReadAll(ctx, resp.Body, api.OrDefault(c.MaxAnswer, defaultMaxAnswer), ErrTooLarge)
	switch {
	case err != nil:
		return err
	case !api.IsSuccess(resp.StatusCode):
		return newStatusError(resp.StatusCode, text)
	case data == nil:
		return nil
	}
	if err := json.Unmarshal(text, data); err != nil {
		// The text of err may quote a string in the answer, such as a hook's
		// URL.
		return fmt.Errorf("%w: not the JSON of a hook", ErrAnswer)
	}
	return nil
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
	r, err := http.NewRequestWithContext(ctx, req.method, c.hooks.JoinPath(req.path...).String(), body)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Accept", "application/json")
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if c.credentials != nil {
		header, err := c.credentials(ctx)
		if err != nil {
			return nil, fmt.Errorf("credentials: %w", err)
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
