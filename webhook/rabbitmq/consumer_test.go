package rabbitmq_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/rabbitmq"
)

func TestDeliveryComesBackWhole(t *testing.T) {
	if node == nil {
		return
	}
	queue := declare(t, node, 1)
	d := delivery("repo/main", "\x00body\xff")
	d.ReceivedAt = d.ReceivedAt.Truncate(time.Microsecond)
	d.ID, d.DedupKeys = "id-1", []string{"acme:id-1"}
	d.Header = map[string][]string{"X-Raw": {"caf\xe9"}}
	publish(t, newPublisher(t, node, queue), d)
	c := run(t, newConsumer(t, node, queue))
	got := claim(t, c)
	if diff := cmp.Diff(d, got.Delivery); diff != "" {
		t.Error(diff)
	}
	settle(t, c, got, done)
	settle(t, c, got, done) // again
}

func TestConsumerClaimsEveryTypeOrNothing(t *testing.T) {
	c := rabbitmq.NewConsumer(dialer("amqp://127.0.0.1:1"), "hooks")
	for _, types := range [][]string{{}, {"acme.push"}} {
		o := webhook.ClaimOptions{Types: types}
		claims, err := c.Claim(t.Context(), o)
		if !errors.Is(err, errors.ErrUnsupported) || !strings.Contains(err.Error(), "Default") || claims != nil {
			t.Errorf("Claim of %q: %v, %v", types, claims, err)
		}
		if _, err := c.NextDue(t.Context(), o); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("NextDue of %q: %v", types, err)
		}
	}
	if err := c.Ping(t.Context()); err == nil || !strings.Contains(err.Error(), "Run") {
		t.Errorf("Ping before Run: %v", err)
	}
}

func TestSupersededDeliveryIsAcknowledged(t *testing.T) {
	if node == nil {
		return
	}
	queue := declare(t, node, 1)
	p := newPublisher(t, node, queue)
	var last *webhook.Delivery
	for i := range 5 {
		last = delivery("k", fmt.Sprint(i))
		last.Coalesce = webhook.Coalesce{Quiet: 1} // the newest of what is there
		publish(t, p, last)
	}
	c := run(t, newConsumer(t, node, queue))
	await(t, "the Consumer has all messages", func() bool { return c.Took(last.UID) })
	settleNext(t, c, last)
	await(t, "the queue is empty", func() bool { return messages(t, node, queue) == 0 })
	c2 := run(t, newConsumer(t, node, queue))
	settleNext(t, oneOf{c, c2}, publish(t, p, delivery("k", "another"))) // nothing came again
}

// oneOf claims from whichever of several Consumers is active.
type oneOf []*rabbitmq.Consumer

func (q oneOf) Claim(ctx context.Context, o webhook.ClaimOptions) ([]webhook.Claim, error) {
	for _, c := range q {
		if claims, err := c.Claim(ctx, o); len(claims) > 0 || err != nil {
			return claims, err
		}
	}
	return nil, nil
}

func (q oneOf) Begin(context.Context, webhook.Claim) (webhook.Claim, error) {
	return webhook.Claim{}, errors.ErrUnsupported
}

func (q oneOf) Extend(context.Context, webhook.Claim, time.Duration) error {
	return errors.ErrUnsupported
}

func (q oneOf) Settle(ctx context.Context, claim webhook.Claim, o webhook.Outcome) (state webhook.State, err error) {
	for _, c := range q {
		if state, err = c.Settle(ctx, claim, o); err == nil {
			break
		}
	}
	return state, err
}

func TestConsumerGetsAsManyMessagesAsMaxBytesHolds(t *testing.T) {
	if node == nil {
		return
	}
	queue := declare(t, node, 1)
	p := newPublisher(t, node, queue)
	for range 5 {
		publish(t, p, delivery("", strings.Repeat("x", 10_000)))
	}
	var log bytes.Buffer
	c := newConsumer(t, node, queue)
	c.MaxMessage, c.MaxBytes = 11_000, 33_000
	c.Logger = slog.New(slog.NewTextHandler(&log, nil))
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx) }()
	held := []webhook.Claim{claim(t, c), claim(t, c), claim(t, c)}
	if n := messages(t, node, queue); n != 2 {
		t.Errorf("the server has %d that it has not given out", n)
	}
	settle(t, c, held[0], done)
	claim(t, c)
	stop()
	if err := <-ended; err != nil || log.Len() > 0 {
		t.Errorf("%v, log:\n%s", err, &log)
	}
}

// A Consumer with a smaller Prefetch gets in parts what comes again. Nothing tells it in
// which order. It gets more at once on the connection that it has.
func TestFewerMessagesAtOnceKeepTheOrder(t *testing.T) {
	if node == nil {
		return
	}
	const n = 60
	queue := declare(t, node, 1)
	p := newPublisher(t, node, queue)
	var want []*webhook.Delivery
	for i := range n {
		want = append(want, publish(t, p, delivery("k", fmt.Sprint(i))))
	}
	// Each takes some and loses them, the last when it has got a part.
	for _, prefetch := range []int{50, 20, 7} {
		c := newConsumer(t, node, queue)
		c.Prefetch = prefetch
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- c.Run(ctx) }()
		claim(t, c)
		stop()
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
	}
	var dials atomic.Int32
	c := rabbitmq.NewConsumer(func(ctx context.Context) (*amqp.Connection, error) {
		dials.Add(1)
		return dialer(node.URL())(ctx)
	}, queue)
	c.Prefetch = 3
	run(t, c)
	for _, d := range want {
		settleNext(t, c, d)
	}
	if n := dials.Load(); n > 2 { // from the second one it publishes markers
		t.Errorf("%d connections", n)
	}
}

func TestRunWaitsForClaimsWhenItEnds(t *testing.T) {
	if node == nil {
		return
	}
	queue := declare(t, node, 1)
	p := newPublisher(t, node, queue)
	publish(t, p, delivery("a", "held"))
	publish(t, p, delivery("b", "left"))
	c := rabbitmq.NewConsumer(dialer(node.URL()), queue)
	c.ShutdownTimeout = patience
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx) }()
	held := claim(t, c)
	if err := c.Run(t.Context()); !errors.Is(err, webhook.ErrRunning) {
		t.Errorf("a second Run: %v", err)
	}
	stop()
	await(t, "nothing more is claimed", func() bool {
		claims, err := c.Claim(t.Context(), webhook.ClaimOptions{Lease: time.Hour})
		for _, early := range claims { // Run would wait for it
			settle(t, c, early, webhook.Outcome{State: webhook.Waiting})
		}
		return len(claims) == 0 && err == nil
	})
	settle(t, c, held, done)
	if err := <-ended; err != nil {
		t.Errorf("Run: %v", err)
	}
	await(t, "the server has the one that is left", func() bool { return messages(t, node, queue) == 1 })
	if err := c.Ping(t.Context()); err == nil {
		t.Error("Ping after Run")
	}
}

func TestConsumerOutlivesItsQueue(t *testing.T) {
	if node == nil {
		return
	}
	queue := declare(t, node, 1)
	p := newPublisher(t, node, queue)
	publish(t, p, delivery("k", "body"))
	c := run(t, newConsumer(t, node, queue))
	held := claim(t, c)
	ch, err := connect(t, node).Channel()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ch.QueueDelete(queue, false, false, false); err != nil {
		t.Fatal(err)
	}
	await(t, "Ping says that the queue is missing", func() bool { return errors.Is(c.Ping(t.Context()), rabbitmq.ErrNoQueue) })
	if _, err := c.Settle(t.Context(), held, done); !errors.Is(err, webhook.ErrClaimLost) {
		t.Errorf("Settle: %v", err)
	}
	if err := rabbitmq.Declare(t.Context(), connect(t, node), queue, 1); err != nil {
		t.Fatal(err)
	}
	settleNext(t, c, publish(t, p, delivery("k", "another")))
}
