package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"time"
)

// Send makes one request and returns the answer, whatever its status but 101, whose
// body the caller must close. An answer 101 is an error. If transport is nil, Send uses
// http.DefaultTransport.
//
// Send calls the transport directly because an http.Client follows redirects,
// forwards a token in a header of another name than Authorization to other
// hosts, and puts the URL into its errors.
func Send(transport http.RoundTripper, r *http.Request) (*http.Response, error) {
	if transport == nil {
		transport = http.DefaultTransport
	}
	resp, err := transport.RoundTrip(r)
	if err != nil {
		return nil, ContextError(r.Context(), err)
	}
	if resp.StatusCode == http.StatusSwitchingProtocols {
		_ = resp.Body.Close() // it is the connection: no context ends a read of it
		return nil, errors.New("the answer changes the protocol: status 101")
	}
	return resp, nil
}

// ReadAll reads body to its end. If the body exceeds limit bytes, ReadAll
// returns an error that wraps tooLarge. The ctx is that of the request.
func ReadAll(ctx context.Context, body io.Reader, limit int64, tooLarge error) ([]byte, error) {
	// One byte more shows that the body exceeds the limit.
	text, err := io.ReadAll(io.LimitReader(body, min(limit, math.MaxInt64-1)+1))
	if err != nil {
		return nil, ContextError(ctx, err)
	}
	if int64(len(text)) > limit {
		return nil, fmt.Errorf("%w: more than %d bytes", tooLarge, limit)
	}
	return text, nil
}

// ContextError returns err, wrapped so that errors.Is also finds ctx.Err if ctx
// is done. If the cause of ctx is context.DeadlineExceeded, errors.Is finds that
// instead, because a single wait took too long.
func ContextError(ctx context.Context, err error) error {
	ended := ctx.Err()
	if errors.Is(context.Cause(ctx), context.DeadlineExceeded) {
		ended = context.DeadlineExceeded
	}
	if ended == nil || errors.Is(err, ended) {
		return err
	}
	return fmt.Errorf("%w: %w", ended, err)
}

// IsAbsolute reports whether u is an http or https URL with a host.
func IsAbsolute(u *url.URL) bool {
	return (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() != ""
}

// OrDefault returns v, or fallback if v is not positive: the zero value of a
// client's field means its default.
func OrDefault[T int64 | time.Duration](v, fallback T) T {
	if v <= 0 {
		return fallback
	}
	return v
}
