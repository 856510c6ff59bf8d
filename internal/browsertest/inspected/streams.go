package inspected

import (
	"context"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
)

// Streams are the live lists that are connected. The zero value is ready.
type Streams struct {
	mu   sync.Mutex
	open map[*stream]bool
	held chan struct{} // new ones wait until it is closed; nil: they do not wait
}

type stream struct {
	cancel context.CancelFunc
	broken bool
}

// Break breaks the connections of all live lists, and lets none connect until Allow.
func (s *Streams) Break() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held == nil {
		s.held = make(chan struct{})
	}
	for one := range s.open {
		one.broken = true
		one.cancel()
	}
}

// Allow lets live lists connect again.
func (s *Streams) Allow() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held != nil {
		close(s.held)
		s.held = nil
	}
}

// Count returns how many live lists are connected.
func (s *Streams) Count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.open)
}

// watch returns a handler that counts the live lists of an inspector.
func (s *Streams) watch(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/api/live") {
			next.ServeHTTP(w, r)
			return
		}
		one, ctx := s.join(r.Context())
		if one == nil {
			return
		}
		next.ServeHTTP(w, r.WithContext(ctx))
		if s.leave(one) {
			panic(http.ErrAbortHandler) // which breaks the connection
		}
	})
}

// join waits until a live list may connect, and returns nil if its viewer has left.
func (s *Streams) join(ctx context.Context) (*stream, context.Context) {
	for {
		s.mu.Lock()
		held := s.held
		if held == nil {
			break
		}
		s.mu.Unlock()
		select {
		case <-held:
		case <-ctx.Done():
			return nil, nil
		}
	}
	defer s.mu.Unlock()
	ctx, cancel := context.WithCancel(ctx)
	one := &stream{cancel: cancel}
	if s.open == nil {
		s.open = make(map[*stream]bool)
	}
	s.open[one] = true
	return one, ctx
}

func (s *Streams) leave(one *stream) (broken bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	one.cancel()
	delete(s.open, one)
	return one.broken
}

// A countedListener counts what is written to its connections.
type countedListener struct {
	net.Listener
	written *atomic.Int64
}

func (l *countedListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &countedConn{conn, l.written}, nil
}

type countedConn struct {
	net.Conn
	written *atomic.Int64
}

func (c *countedConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.written.Add(int64(n))
	return n, err
}
