package rabbitmq_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/spool"
)

// relay runs a Relay until the func that it returns is called.
func relay(t *testing.T, from webhook.Queue, to webhook.Handler) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- spool.NewRelay(from, to).Run(ctx) }()
	return func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Relay: %v", err)
		}
	}
}

func TestTwoRelaysPassEachDeliveryOnOnceAndInOrder(t *testing.T) {
	if node == nil {
		return
	}
	const n = 60
	queue := declare(t, node, 1)
	p := newPublisher(t, node, queue)
	var inbox webhook.MemInbox
	for range 2 {
		defer relay(t, run(t, newConsumer(t, node, queue)), webhook.Store(&inbox))()
	}
	var want []*webhook.Delivery
	for i := range n {
		want = append(want, publish(t, p, delivery("k", fmt.Sprint(i))))
	}
	for _, d := range want {
		settleNext(t, &inbox, d)
	}
	if claims, err := inbox.Claim(t.Context(), webhook.ClaimOptions{}); len(claims) != 0 || err != nil {
		t.Errorf("more was stored: %v, %v", claims, err)
	}
}

func TestRelayIntoItsOwnQueueLosesNothing(t *testing.T) {
	if node == nil {
		return
	}
	queue := declare(t, node, 1)
	p := newPublisher(t, node, queue)
	d := publish(t, p, delivery("k", "body"))
	refused := make(chan error, 1)
	c := run(t, newConsumer(t, node, queue))
	stop := relay(t, c, webhook.HandlerFunc(func(ctx context.Context, d *webhook.Delivery) error {
		err := p.Handle(ctx, d)
		select {
		case refused <- err:
		default:
		}
		return err
	}))
	err := <-refused
	mustNotStore(t, err)
	if !strings.Contains(err.Error(), "its own queue") {
		t.Error(err)
	}
	stop()
	settleNext(t, c, d)
	await(t, "the queue is empty", func() bool { return messages(t, node, queue) == 0 })
	publish(t, p, d) // it is claimed no longer
}

func TestSecondMessageWithAUIDWaitsForTheFirst(t *testing.T) {
	if node == nil {
		return
	}
	queue := declare(t, node, 1)
	p := newPublisher(t, node, queue)
	d := delivery("", "body") // unordered: nothing but the UID holds the second back
	publish(t, p, d)
	publish(t, p, d)
	last := publish(t, p, delivery("", "last"))
	c := run(t, newConsumer(t, node, queue))
	await(t, "the Consumer has all messages", func() bool { return c.Took(last.UID) })
	first, other := claim(t, c), claim(t, c)
	if first.Delivery.UID != d.UID || other.Delivery.UID != last.UID {
		t.Fatalf("got %q and %q", first.Delivery.Body, other.Delivery.Body)
	}
	settle(t, c, first, done)
	again := claim(t, c) // if the first had been published by what claimed it, this is the only one now
	if again.Delivery.UID != d.UID || again.Fence <= first.Fence {
		t.Errorf("got %q with fence %d after %d", again.Delivery.Body, again.Fence, first.Fence)
	}
	settle(t, c, first, done) // changes nothing
	settle(t, c, again, done)
	settle(t, c, other, done)
	await(t, "the queue is empty", func() bool { return messages(t, node, queue) == 0 })
}

func TestSecondMessageDoesNotOvertake(t *testing.T) {
	if node == nil {
		return
	}
	for name, coalesce := range map[string]webhook.Coalesce{"in order": {}, "coalesced": {Quiet: 1}} {
		queue := declare(t, node, 1)
		p := newPublisher(t, node, queue)
		c := run(t, newConsumer(t, node, queue))
		d, newer := delivery("k", "old"), delivery("k", "new")
		d.Coalesce, newer.Coalesce = coalesce, coalesce
		publish(t, p, d)
		first := claim(t, c)
		raw, err := d.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		send(t, queue, amqp.Publishing{Body: raw}) // another process sends it again: it got no answer
		publish(t, p, newer)
		last := publish(t, p, delivery("", "last"))
		await(t, "the Consumer has all messages", func() bool { return c.Took(last.UID) })
		settleNext(t, c, last)
		settle(t, c, first, done)
		if coalesce == (webhook.Coalesce{}) {
			settleNext(t, c, d)
		}
		settleNext(t, c, newer)
		await(t, "the queue is empty", func() bool { return messages(t, node, queue) == 0 })
		if claims, err := c.Claim(t.Context(), webhook.ClaimOptions{}); len(claims) > 0 || err != nil {
			t.Errorf("%s: %v, %v is left", name, claims, err)
		}
	}
}

func TestRelayPassesOnAtOnceWhatIsLeftToTheInbox(t *testing.T) {
	if node == nil {
		return
	}
	queue := declare(t, node, 1)
	p := newPublisher(t, node, queue)
	c := newConsumer(t, node, queue)
	c.Immediate = true
	run(t, c)

	got := make(chan *webhook.Delivery)
	defer relay(t, c, webhook.HandlerFunc(func(ctx context.Context, d *webhook.Delivery) error {

		got <- d
		return nil
	}))()
	for i := range 3 {
		d := delivery("k", fmt.Sprint(i))
		d.Coalesce = webhook.Coalesce{Quiet: 1 << 40}
		d.NotBefore = d.ReceivedAt.AddDate(1, 0, 0)
		publish(t, p, d)
		back := <-got
		if back.UID != d.UID || back.Coalesce.Quiet < d.Coalesce.Quiet || back.NotBefore.Before(d.NotBefore) {
			t.Errorf("got %+v", back)
		}
	}
}
