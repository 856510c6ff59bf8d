package api_test

import (
	"context"
	"errors"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/hookhouse/hookhouse/internal/api"
)

// A transportFunc is a transport.
type transportFunc func(*http.Request) (*http.Response, error)

func (f transportFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func newRequest(t *testing.T, ctx context.Context, target string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestSendFollowsNoRedirect(t *testing.T) {
	for _, status := range []int{200, 302, 307, 500} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/start" {
				t.Errorf("%s was called", r.URL.Path)
			}
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(status)
		}))
		resp, err := api.Send(nil, newRequest(t, t.Context(), server.URL+"/start"))
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		server.Close()
		if resp.StatusCode != status {
			t.Errorf("got status %d, want %d", resp.StatusCode, status)
		}
	}
}

func TestSendRefusesAnotherProtocol(t *testing.T) {
	connection, other := net.Pipe()
	defer func() { _ = other.Close() }()
	_, err := api.Send(transportFunc(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusSwitchingProtocols, Body: connection}, nil
	}), newRequest(t, t.Context(), "https://api.example.com"))
	if err == nil || !strings.Contains(err.Error(), "101") {
		t.Errorf("got %v, want an error with the status", err)
	}
	if _, err := connection.Read(make([]byte, 1)); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("the connection is open: %v", err)
	}
}

func TestSendReturnsErrorWithoutURLAndHeader(t *testing.T) {
	server := httptest.NewServer(nil)
	server.Close()
	refused := errors.New("refused")
	for name, transport := range map[string]http.RoundTripper{
		"the default transport": nil,
		"another transport":     transportFunc(func(*http.Request) (*http.Response, error) { return nil, refused }),
	} {
		r := newRequest(t, t.Context(), server.URL+"/hooks?key=s3cret")
		r.Header.Set("Authorization", "Bearer s3cret")
		_, err := api.Send(transport, r)
		if err == nil || !strings.Contains(err.Error(), "refused") || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: got %v, want the reason without the secret", name, err)
		}
	}
}

func TestSendAddsTheContextsError(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	shutdown := errors.New("shutting down")
	cancel(shutdown)
	_, err := api.Send(transportFunc(func(r *http.Request) (*http.Response, error) {
		return nil, context.Cause(r.Context())
	}), newRequest(t, ctx, "https://api.example.com"))
	if !errors.Is(err, context.Canceled) || !errors.Is(err, shutdown) {
		t.Errorf("got %v, want Canceled and the cause", err)
	}
}

func TestReadAllReadsUpToTheLimit(t *testing.T) {
	tooLarge := errors.New("answer is too large")
	for _, tc := range []struct {
		name  string
		body  string
		limit int64
		want  error
	}{
		{"nothing", "", 4, nil},
		{"less than the limit", "s3c", 4, nil},
		{"the limit", "s3cr", 4, nil},
		{"one byte more", "s3cre", 4, tooLarge},
		{"much more", "s3cret" + strings.Repeat("x", 1<<16), 4, tooLarge},
		{"the largest limit", "s3cret", math.MaxInt64, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := api.ReadAll(t.Context(), strings.NewReader(tc.body), tc.limit, tooLarge)
			if !errors.Is(err, tc.want) {
				t.Fatalf("got %v, want %v", err, tc.want)
			}
			if err != nil {
				if got != nil || strings.Contains(err.Error(), "s3c") {
					t.Errorf("got %q and %q, want no text of the body", got, err)
				}
				return
			}
			if string(got) != tc.body {
				t.Errorf("got %q, want %q", got, tc.body)
			}
		})
	}
}

func TestReadAllStopsOneByteAfterTheLimit(t *testing.T) {
	body := strings.NewReader(strings.Repeat("x", 100))
	_, _ = api.ReadAll(t.Context(), body, 10, errors.New("answer is too large"))
	if read := 100 - body.Len(); read != 11 {
		t.Errorf("read %d bytes, want 11", read)
	}
}

func TestReadAllReturnsTheErrorOfTheBody(t *testing.T) {
	tooLarge := errors.New("answer is too large")
	broken := iotest.ErrReader(io.ErrUnexpectedEOF)
	if _, err := api.ReadAll(t.Context(), broken, 10, tooLarge); !errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, tooLarge) {
		t.Errorf("got %v, want ErrUnexpectedEOF", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := api.ReadAll(ctx, broken, 10, tooLarge); !errors.Is(err, io.ErrUnexpectedEOF) || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want ErrUnexpectedEOF and Canceled", err)
	}
}

func TestContextError(t *testing.T) {
	failed := errors.New("failed")
	expired, stop := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer stop()
	canceledBy := func(cause error) context.Context {
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(cause)
		return ctx
	}
	for _, tc := range []struct {
		name string
		ctx  context.Context
		err  error
		want error
		not  error
		text string
	}{
		{"a context that is not done", t.Context(), failed, failed, context.Canceled, "failed"},
		{"a canceled one", canceledBy(nil), failed, context.Canceled, context.DeadlineExceeded, "context canceled: failed"},
		{"a canceled one, which err says", canceledBy(nil), context.Canceled, context.Canceled, context.DeadlineExceeded, "context canceled"},
		{"a canceled one with a cause", canceledBy(failed), failed, context.Canceled, context.DeadlineExceeded, "context canceled: failed"},
		{"an expired one", expired, failed, context.DeadlineExceeded, context.Canceled, "context deadline exceeded: failed"},
		{"one wait that took too long", canceledBy(context.DeadlineExceeded), failed, context.DeadlineExceeded, context.Canceled, "context deadline exceeded: failed"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := api.ContextError(tc.ctx, tc.err)
			if !errors.Is(got, tc.want) || !errors.Is(got, tc.err) || errors.Is(got, tc.not) || got.Error() != tc.text {
				t.Errorf("got %v, want %q", got, tc.text)
			}
		})
	}
}

func TestIsAbsolute(t *testing.T) {
	for text, want := range map[string]bool{
		"https://api.example.com/a": true,
		"HTTP://api.example.com":    true,
		"ftp://api.example.com":     false,
		"//api.example.com":         false,
		"https://":                  false,
		"https://:443/":             false,
		"/a":                        false,
		"":                          false,
	} {
		u, err := url.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := api.IsAbsolute(u); got != want {
			t.Errorf("%q: got %v, want %v", text, got, want)
		}
	}
}

func TestOrDefault(t *testing.T) {
	for v, want := range map[int64]int64{-1: 7, 0: 7, 1: 1, 8: 8} {
		if got := api.OrDefault(v, 7); got != want {
			t.Errorf("%d: got %d, want %d", v, got, want)
		}
	}
	if got := api.OrDefault(0, time.Minute); got != time.Minute {
		t.Errorf("got %v, want 1m", got)
	}
}
