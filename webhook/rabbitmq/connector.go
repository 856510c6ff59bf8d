package rabbitmq

import (
	"context"
	"fmt"
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

const (
	// dialTimeout limits one attempt to connect: dial, the checks and the channels.
	dialTimeout = 30 * time.Second
	// dialPause is the least time between the starts of two attempts.
	dialPause = 500 * time.Millisecond
)

// A connector has at most one connection. All who need it share an attempt to connect and its
// error. The next attempt begins dialPause later at the earliest: who needs it sooner waits.
type connector struct {
	dial func(ctx context.Context) (*amqp.Connection, error)
	open func(conn *amqp.Connection) (*link, error)

	mu      sync.Mutex
	link    *link
	attempt *attempt  // under way
	next    time.Time // when the next attempt may begin
	closed  bool
}

// An attempt to connect. link or err are set when done is closed.
type attempt struct {
	done chan struct{}
	link *link
	err  error
}

// get returns the connection, or connects. It returns when ctx ends, and the attempt then goes
// on for those who come later.
func (c *connector) get(ctx context.Context) (*link, error) {
	try, err := c.begin()
	if err != nil {
		return nil, err
	}
	select {
	case <-try.done:
		return try.link, try.err
	case <-ctx.Done():
		return nil, fmt.Errorf("%w: %w", ErrConnection, ctx.Err())
	}
}

// begin returns the attempt under way, a new one, or one that has ended with the connection.
func (c *connector) begin() (*attempt, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closed:
		return nil, ErrClosed
	case c.link != nil && c.link.usable():
		return &attempt{done: closedSignal, link: c.link}, nil
	case c.attempt == nil:
		c.link, c.attempt = nil, &attempt{done: make(chan struct{})}
		wait := time.Until(c.next)
		c.next = time.Now().Add(max(wait, 0) + dialPause)
		go c.connect(c.attempt, wait)
	}
	return c.attempt, nil
}

// connect makes an attempt after a wait.
func (c *connector) connect(try *attempt, wait time.Duration) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-try.done: // close has ended it
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), dialTimeout)
	defer cancel()
	opened, err := c.dialAndOpen(ctx)
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case !c.closed:
		c.link = opened
		c.finish(opened, err)
	case opened != nil:
		opened.fail(ErrClosed)
	}
}

// finish ends the attempt under way. The caller holds c.mu.
func (c *connector) finish(opened *link, err error) {
	c.attempt.link, c.attempt.err = opened, err
	close(c.attempt.done)
	c.attempt = nil
}

func (c *connector) dialAndOpen(ctx context.Context) (opened *link, err error) {
	defer func() {
		if p := recover(); p != nil {
			opened, err = nil, fmt.Errorf("%w: dial panicked: %v", ErrConnection, p)
		}
	}()
	conn, err := c.dial(ctx)
	switch {
	case err != nil:
		return nil, notConnected(err)
	case conn == nil:
		return nil, fmt.Errorf("%w: dial returned no connection and no error", ErrConnection)
	}
	// What follows waits for the server without a context: if that takes too long, the
	// connection ends.
	stop := context.AfterFunc(ctx, func() { closeSoon(conn) })
	defer stop()
	opened, err = c.open(conn)
	if err == nil && !stop() {
		opened.fail(context.DeadlineExceeded)
		err = fmt.Errorf("%w: the server did not answer within %v", ErrConnection, dialTimeout)
	}
	if err != nil {
		closeSoon(conn)
		return nil, err
	}
	return opened, nil
}

// close closes the connection, and no other is made. Who waits for one gets ErrClosed now.
func (c *connector) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	if c.link != nil {
		c.link.fail(ErrClosed)
	}
	if c.attempt != nil {
		c.finish(nil, ErrClosed)
	}
}

// closeSoon closes a connection. It waits at most a second for the server. The deadline also
// ends a write that the server does not read.
func closeSoon(conn *amqp.Connection) {
	_ = conn.CloseDeadline(time.Now().Add(time.Second)) // it is closed whatever the error
}

var closedSignal = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()
