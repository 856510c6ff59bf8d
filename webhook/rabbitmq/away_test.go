package rabbitmq_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/hookhouse/hookhouse/webhook/rabbitmq"
)

// shortly returns a context that ends soon.
func shortly(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	t.Cleanup(cancel)
	return ctx
}

// freeze freezes the node until the func that it returns is called.
func freeze(t *testing.T) (resume func()) {
	t.Helper()
	if err := node.Freeze(); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := node.Resume(); err != nil {
			t.Error(err)
		}
	}
}

func TestFrozenServer(t *testing.T) {
	if node == nil {
		return
	}
	queue := declare(t, node, 1)
	p := newPublisher(t, node, queue)
	c := run(t, newConsumer(t, node, queue))
	publish(t, p, delivery("first", "body"))
	held := claim(t, c)
	resume := freeze(t)
	// More than the buffers of the connection hold: some are being sent, some wait.
	results := make(chan error)
	for range 64 {
		go func() {
			results <- p.Handle(shortly(t), delivery("k", strings.Repeat("x", 512<<10)))
		}()
	}
	for range 64 {
		err := <-results
		mustNotStore(t, err)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	}
	if err := p.Ping(shortly(t)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Ping: %v", err)
	}
	another := rabbitmq.NewPublisher(dialer(node.URL()), queue)
	defer another.Close()
	err := another.Handle(shortly(t), delivery("k", "body")) // its connection is not made
	mustNotStore(t, err)
	if _, err := c.Settle(shortly(t), held, done); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Settle: %v", err)
	}
	resume()
	publish(t, p, delivery("last", "body"))
	await(t, "the other Publisher works", func() bool { return another.Handle(t.Context(), delivery("k", "body")) == nil })
	for got := claim(t, c); got.Delivery.OrderingKey != "last"; got = claim(t, c) {
		_, _ = c.Settle(t.Context(), got, done) // the claim is lost if the freeze was long
	}
}

func TestConfirmAfterTheEnd(t *testing.T) {
	if node == nil {
		return
	}
	queue := declare(t, node, 1)
	p := newPublisher(t, node, queue)
	publish(t, p, delivery("k", "first"))
	resume := freeze(t)
	d := delivery("k", "late")
	mustNotStore(t, p.Handle(shortly(t), d))
	resume()
	publish(t, p, d) // again, as a Spool does: the queue may have it twice
	c := run(t, newConsumer(t, node, queue))
	settle(t, c, claim(t, c), done)
	got := claim(t, c)
	if got.Delivery.UID != d.UID {
		t.Errorf("got %s, want %s", got.Delivery.UID, d.UID)
	}
	settle(t, c, got, done)
}

func TestDialThatHangs(t *testing.T) {
	var dials atomic.Int32
	release := make(chan struct{})
	p := rabbitmq.NewPublisher(func(context.Context) (*amqp.Connection, error) {
		dials.Add(1)
		<-release // it ignores its context
		return nil, errors.New("away")
	}, "hooks")
	defer p.Close()
	results := make(chan error)
	for range 64 {
		go func() { results <- p.Handle(shortly(t), delivery("k", "body")) }()
	}
	for range 64 {
		err := <-results
		mustNotStore(t, err)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	}
	if n := dials.Load(); n != 1 {
		t.Errorf("%d dials for 64 deliveries", n)
	}
	go func() { results <- p.Handle(t.Context(), delivery("k", "body")) }()
	close(release)
	if err := <-results; err == nil || !strings.Contains(err.Error(), "away") {
		t.Error(err)
	}
}

func TestCloseEndsAWaitForAConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		p := rabbitmq.NewPublisher(func(context.Context) (*amqp.Connection, error) {
			<-release // it ignores its context
			return nil, errors.New("away")
		}, "hooks")
		results := make(chan error, 2)
		go func() { results <- p.Handle(context.Background(), delivery("k", "body")) }()
		go func() { results <- p.Ping(context.Background()) }()
		synctest.Wait()
		p.Close()
		synctest.Wait()
		for range cap(results) {
			select {
			case err := <-results:
				if !errors.Is(err, rabbitmq.ErrClosed) {
					t.Errorf("the error is not ErrClosed: %v", err)
				}
			default:
				t.Error("a call still waits for a connection")
			}
		}
		close(release)
	})
}

func TestLostConnectionIsMadeOnceAgain(t *testing.T) {
	if node == nil {
		return
	}
	queue := declare(t, node, 1)
	var dials atomic.Int32
	var conn atomic.Pointer[amqp.Connection]
	p := rabbitmq.NewPublisher(func(ctx context.Context) (*amqp.Connection, error) {
		dials.Add(1)
		c, err := dialer(node.URL())(ctx)
		conn.Store(c)
		return c, err
	}, queue)
	defer p.Close()
	publish(t, p, delivery("k", "body"))
	if err := conn.Load().Close(); err != nil {
		t.Fatal(err)
	}
	results := make(chan bool)
	for range 64 {
		go func() {
			for p.Handle(t.Context(), delivery("k", "body")) != nil {
				// It was under way when the connection was lost.
			}
			results <- true
		}()
	}
	for range 64 {
		<-results
	}
	if n := dials.Load(); n != 2 {
		t.Errorf("%d dials", n)
	}
}

func TestClosedPublisherRefuses(t *testing.T) {
	if node == nil {
		return
	}
	queue := declare(t, node, 1)
	p := newPublisher(t, node, queue)
	publish(t, p, delivery("k", "body"))
	p.Close()
	p.Close()
	err := p.Handle(t.Context(), delivery("k", "body"))
	mustNotStore(t, err)
	if !errors.Is(err, rabbitmq.ErrClosed) {
		t.Error(err)
	}
	if err := p.Ping(t.Context()); !errors.Is(err, rabbitmq.ErrClosed) {
		t.Errorf("Ping: %v", err)
	}
}
