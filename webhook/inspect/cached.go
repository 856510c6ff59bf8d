package inspect

import (
	"context"
	"sync"
	"time"
)

// A cached value is made again when somebody asks for it and it is too old.
type cached[T any] struct {
	mu    sync.Mutex
	at    time.Time // when value was made; zero: never
	value T
	now   *making[T] // nil if nobody makes it
}

// A making is a value that is being made.
type making[T any] struct {
	done  chan struct{}
	value T
	err   error
}

// get returns the value, which read makes unless the last one is younger than maxAge.
// Callers that come while it is made share what comes of it, also an error, so a store that
// hangs is called once and not by each of them. A caller whose ctx ends does not wait.
func (c *cached[T]) get(ctx context.Context, maxAge time.Duration, read func(ctx context.Context) (T, error)) (value T, err error) {
	m, value := c.start(ctx, maxAge, read)
	if m == nil {
		return value, nil
	}
	select {
	case <-m.done:
		return m.value, m.err
	case <-ctx.Done():
		return value, ctx.Err()
	}
}

// start returns the value, or what makes it.
func (c *cached[T]) start(ctx context.Context, maxAge time.Duration, read func(ctx context.Context) (T, error)) (*making[T], T) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.at.IsZero() && time.Since(c.at) < maxAge {
		return nil, c.value
	}
	if c.now == nil {
		m := &making[T]{done: make(chan struct{})}
		c.now = m
		// The viewer who begins it may leave, and must not spoil it for the others.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
		go func() {
			defer cancel()
			defer c.finish(m)
			defer recoverTo(&m.err)
			m.value, m.err = read(ctx)
		}()
	}
	return c.now, c.value
}

// forget lets the next caller get a value that is made after now.
func (c *cached[T]) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at, c.now = time.Time{}, nil
}

// finish keeps what was made, unless that failed or is forgotten.
func (c *cached[T]) finish(m *making[T]) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.now == m {
		if c.now = nil; m.err == nil {
			c.at, c.value = time.Now(), m.value
		}
	}
	close(m.done)
}
