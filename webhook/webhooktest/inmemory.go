package webhooktest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
)

// InMemory returns a transport that passes each request to h, for every host. It
// uses no socket, so it works in a bubble of testing/synctest, in which a real
// connection would stop the fake clock.
//
// As in a server, h runs in its own goroutine, its context is done when the client
// gives up, and if it panics, the client gets an error that wraps
// [io.ErrUnexpectedEOF]. Unlike a server, the transport passes the answer to the
// client only after h has returned.
//
// InMemory panics if h is nil. The transport is safe for concurrent use if h is.
func InMemory(h http.Handler) http.RoundTripper {
	if h == nil {
		panic("webhooktest: InMemory needs a handler")
	}
	return inMemory{h}
}

type inMemory struct{ handler http.Handler }

func (t inMemory) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx := r.Context()
	var body []byte
	if r.Body != nil {
		var err error
		body, err = io.ReadAll(r.Body)
		_ = r.Body.Close()
		if err != nil {
			return nil, err
		}
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	received := r.Clone(ctx)
	if received.Header.Get("User-Agent") == "" {
		received.Header.Del("User-Agent") // a client that sends none sets it to ""
	}
	asReceived(received, body)
	answer := &answer{header: make(http.Header)}
	done := make(chan any, 1)
	go func() {
		defer func() { done <- recover() }()
		t.handler.ServeHTTP(answer, received)
	}()
	select {
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case panicked := <-done:
		if panicked != nil {
			return nil, fmt.Errorf("webhooktest: handler panicked: %w", io.ErrUnexpectedEOF)
		}
		return answer.response(r), nil
	}
}

// An answer is the ResponseWriter of inMemory. It has a mutex because a handler may
// write in several goroutines.
type answer struct {
	mu     sync.Mutex
	header http.Header
	status int
	sent   http.Header // a copy of header from when the status was written
	body   bytes.Buffer
}

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(status int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.begin(status)
}

func (a *answer) Write(p []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.begin(http.StatusOK)
	return a.body.Write(p)
}

// begin sets the status and copies the header, the first time. It ignores
// informational statuses.
func (a *answer) begin(status int) {
	if a.status == 0 && status >= 200 {
		a.status, a.sent = status, a.header.Clone()
	}
}

func (a *answer) response(r *http.Request) *http.Response {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.begin(http.StatusOK)
	return &http.Response{
		Status:        fmt.Sprintf("%d %s", a.status, http.StatusText(a.status)),
		StatusCode:    a.status,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        a.sent,
		Body:          io.NopCloser(bytes.NewReader(a.body.Bytes())),
		ContentLength: int64(a.body.Len()),
		Request:       r,
	}
}
