package webhook_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

type runnerFunc func(ctx context.Context) error

func (f runnerFunc) Run(ctx context.Context) error { return f(ctx) }

// untilEnd runs until its context ends, and then sets *ended.
func untilEnd(ended *bool) webhook.Runner {
	return runnerFunc(func(ctx context.Context) error {
		<-ctx.Done()
		*ended = true
		return nil
	})
}

// A pipeListener makes connections without a network, for fake time.
type pipeListener struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newPipeListener() *pipeListener {
	return &pipeListener{conns: make(chan net.Conn), done: make(chan struct{})}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

func (l *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "pipe"} }

// client returns a client that connects to the listener, whatever the URL.
func (l *pipeListener) client() *http.Client {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		here, there := net.Pipe()
		select {
		case l.conns <- there:
			return here, nil
		case <-l.done:
			return nil, errors.New("refused")
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return &http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}}
}

func TestServeLetsRequestsInProgressFinish(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newPipeListener()
		slow := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(7 * time.Second)
			w.WriteHeader(http.StatusAccepted)
		})
		ctx, stop := context.WithCancel(t.Context())
		status := make(chan int, 1)
		go func() {
			res, err := l.client().Post("http://service/", "", nil)
			if err != nil {
				t.Error(err)
				status <- 0
				return
			}
			_ = res.Body.Close()
			status <- res.StatusCode
		}()
		var drained bool
		done := make(chan error, 1)
		go func() { done <- webhook.Serve(ctx, &http.Server{Handler: slow}, l, untilEnd(&drained)) }()
		synctest.Wait()
		stop()
		if err := <-done; err != nil {
			t.Errorf("Serve returned %v", err)
		}
		if s := <-status; s != http.StatusAccepted {
			t.Errorf("the request in progress got %d", s)
		}
		if !drained {
			t.Error("returned before the runner did")
		}
	})
}

func TestServeCutsOffAnEndlessRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newPipeListener()
		endless := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
		ctx, stop := context.WithCancel(t.Context())
		failed := make(chan error, 1)
		go func() {
			res, err := l.client().Post("http://service/", "", nil)
			if err == nil {
				_ = res.Body.Close()
			}
			failed <- err
		}()
		done := make(chan error, 1)
		go func() { done <- webhook.Serve(ctx, &http.Server{Handler: endless}, l) }()
		synctest.Wait()
		stop()
		begun := time.Now()
		if err := <-done; !errors.Is(err, webhook.ErrShutdown) {
			t.Errorf("Serve returned %v", err)
		}
		if took := time.Since(begun); took != 8*time.Second {
			t.Errorf("gave the call %v", took)
		}
		if <-failed == nil {
			t.Error("the call was answered")
		}
	})
}

func TestServeEndsWhenOneOfItsPartsEnds(t *testing.T) {
	broken := errors.New("broken")
	tests := []struct {
		name string
		part webhook.Runner
		use  func(*http.Server, net.Listener) // called while Serve runs
		want error
	}{
		{"a runner fails", runnerFunc(func(context.Context) error { return broken }), nil, broken},
		{"the listener fails", nil, func(_ *http.Server, l net.Listener) { _ = l.Close() }, net.ErrClosed},
		{"the caller shuts the server down", nil, func(s *http.Server, _ net.Listener) { _ = s.Shutdown(context.Background()) }, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var ended bool
				parts := []webhook.Runner{untilEnd(&ended)}
				if tt.part != nil {
					parts = append(parts, tt.part)
				}
				l := newPipeListener()
				server := new(http.Server)
				done := make(chan error, 1)
				go func() { done <- webhook.Serve(t.Context(), server, l, parts...) }()
				synctest.Wait()
				if tt.use != nil {
					tt.use(server, l)
				}
				if err := <-done; !errors.Is(err, tt.want) {
					t.Errorf("Serve returned %v, want %v", err, tt.want)
				}
				if !ended {
					t.Error("the other runner was not ended")
				}
				if _, err := l.client().Get("http://service/"); err == nil {
					t.Error("still takes calls")
				}
			})
		})
	}
}

func TestServeContinuesWhenARunnerReturnsNil(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		var ended bool
		done := make(chan error, 1)
		early := runnerFunc(func(context.Context) error { return nil })
		go func() { done <- webhook.Serve(ctx, new(http.Server), newPipeListener(), early, untilEnd(&ended)) }()
		synctest.Wait()
		if ended {
			t.Error("ended the other runner")
		}
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestServePanicsOnMisuse(t *testing.T) {
	l := newPipeListener()
	for name, serve := range map[string]func() error{
		"no server":   func() error { return webhook.Serve(t.Context(), nil, l) },
		"no listener": func() error { return webhook.Serve(t.Context(), new(http.Server), nil) },
		"no runner":   func() error { return webhook.Serve(t.Context(), new(http.Server), l, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("did not panic")
				}
			}()
			_ = serve()
		})
	}
}
