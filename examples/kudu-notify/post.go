package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// A plain target gets the notice as JSON at a URL.
type plain struct{ url webhook.Secret }

func (plain) kind() string { return "url" }
func (plain) name() string { return "url" }

func (p plain) send(ctx context.Context, id string, n notice) error {
	return post(ctx, p.url, id, n)
}

// longestWait bounds what a target may ask for with Retry-After.
const longestWait = time.Hour

// client follows no redirects: they would take a secret along.
var client = &http.Client{
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// post sends JSON and wants a 2xx. The URL, which is a secret, is in no error.
// The id stays the same when it is sent again.
//
// An answer that finds fault with the content is permanent. All others are tried
// again, also where they say that nobody may or can be told: a webhook that was
// revoked, a channel that is not there or is archived (Slack: 403, 404 and 410),
// a wrong URL. Somebody can mend that within the day, and nothing is lost.
func post(ctx context.Context, to webhook.Secret, id string, content any) error {
	body, err := json.Marshal(content)
	if err != nil {
		return webhook.Permanent(err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, string(to.Reveal()), bytes.NewReader(body))
	if err != nil {
		return errors.New("the URL is none")
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", id)
	resp, err := client.Do(r)
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		return wrapped.Err // less the URL
	} else if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, _ := io.ReadAll(io.LimitReader(resp.Body, 200))
	if resp.StatusCode >= 200 && resp.StatusCode <= 299 {
		return nil
	}
	err = fmt.Errorf("status %d: %q", resp.StatusCode, answer)
	switch resp.StatusCode {
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity:
		return webhook.Permanent(err)
	}
	if seconds, bad := strconv.Atoi(resp.Header.Get("Retry-After")); bad == nil && seconds >= 0 {
		return webhook.RetryAfter(min(time.Duration(seconds)*time.Second, longestWait), err)
	}
	return err
}
