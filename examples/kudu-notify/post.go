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

// A urlTarget posts notices as JSON to a URL.
type urlTarget struct{ url webhook.Secret }

func (urlTarget) kind() string { return "url" }
func (urlTarget) name() string { return "url" }

func (p urlTarget) send(ctx context.Context, id string, n notice, _ *mark) error {
	return post(ctx, p.url, id, n)
}

// maxRetryAfter is the maximum delay that a target can request with Retry-After.
const maxRetryAfter = time.Hour

// client does not follow redirects, because they could forward a secret.
var client = &http.Client{
	Timeout:       sendTimeout,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// post posts JSON and returns an error unless the status is 2xx. The URL is a
// secret, so no error contains it. The id must be the same for each attempt.
//
// The error is permanent if the target rejects the content. Every other error is
// retried, even if the target says that it cannot accept any notice: because of a
// revoked webhook, a missing or archived channel (Slack: 403, 404 and 410), or a
// wrong URL. Someone can fix that within a day, and nothing is lost.
func post(ctx context.Context, to webhook.Secret, id string, content any) error {
	body, err := json.Marshal(content)
	if err != nil {
		return webhook.Permanent(err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, string(to.Reveal()), bytes.NewReader(body))
	if err != nil {
		return errors.New("invalid URL")
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", id)
	resp, err := client.Do(r)
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		return wrapped.Err // without the URL
	} else if err != nil {
		return err
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode == http.StatusSwitchingProtocols: // its body is the connection, which no timeout ends
		return errors.New("status 101: the target changes the protocol")
	case resp.StatusCode/100 == 2: // its body says nothing, and may never end
		return nil
	}
	answer, _ := io.ReadAll(io.LimitReader(resp.Body, 200))
	err = fmt.Errorf("status %d: %q", resp.StatusCode, answer)
	switch resp.StatusCode {
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity:
		return webhook.Permanent(err)
	}
	if seconds, bad := strconv.Atoi(resp.Header.Get("Retry-After")); bad == nil && seconds >= 0 {
		return webhook.RetryAfter(min(time.Duration(seconds)*time.Second, maxRetryAfter), err)
	}
	return err
}
