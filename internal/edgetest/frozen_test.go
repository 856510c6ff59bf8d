package edgetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/internal/broker"
	"github.com/hookhouse/hookhouse/internal/dbtest/wait"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/rabbitmq"
	"github.com/hookhouse/hookhouse/webhook/spool"
)

// leader returns the node with the leader of a queue.
func leader(ctx context.Context, queue string) (*broker.Node, error) {
	out, err := cluster.Node(0).EvalQueue(ctx, queue, "[{leader, Leader}] = rabbit_quorum_queue:info(Q, [leader]), Leader.")
	if err != nil {
		return nil, err
	}
	for _, n := range cluster.Nodes() {
		if out == "'"+n.Name()+"'" {
			return n, nil
		}
	}
	return nil, fmt.Errorf("queue %s has no leader: %s", queue, out)
}

// A frozen leader neither confirms nor closes the connection. What it had taken is in the queue
// when it goes on, and so is what was published again.
func TestFrozenLeaderDelaysNobodyAndDoublesNothing(t *testing.T) {
	c := newChain(t, 0, 0, 0)
	if c == nil {
		return
	}
	var node *broker.Node
	if err := retry(t.Context(), func(ctx context.Context) (err error) {
		node, err = leader(ctx, c.queue)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	publisher := rabbitmq.NewPublisher(dialAny([]string{node.URL()}), c.queue)
	defer publisher.Close()
	want := publishAll(t, publisher, together)
	if err := node.Freeze(); err != nil {
		t.Fatal(err)
	}
	resume := func() error { return node.Resume() }
	defer resume()
	var during []*webhook.Delivery
	for i := range together {
		during = append(during, webhook.NewDelivery("edge", "edge.entry", fmt.Sprint("key", i), []byte("frozen")))
	}
	publishWithin(t, publisher, during)
	if err := resume(); err != nil {
		t.Fatal(err)
	}
	for _, d := range during {
		want = append(want, d.UID)
		if err := retry(t.Context(), func(ctx context.Context) error { return publisher.Handle(ctx, d) }); err != nil {
			t.Fatal(err)
		}
	}
	c.relayUntilEmpty(len(want))
	c.wantRows(want)
	c.wantEmpty(rabbitmq.DeadQueue(c.queue))
}

// publishWithin publishes to a leader that is frozen. Each call must return soon after its
// context has ended, while the leader is still frozen, and none may report success in vain.
func publishWithin(t *testing.T, publisher webhook.Handler, all []*webhook.Delivery) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	results := make(chan error, len(all))
	for _, d := range all {
		go func() { results <- publisher.Handle(ctx, d) }()
	}
	late := time.NewTimer(patience)
	defer late.Stop()
	refusals := 0
	for range all {
		select {
		case err := <-results:
			if err != nil && !errors.Is(err, webhook.ErrNotStored) {
				t.Errorf("Handle returned %v", err)
			}
			if err != nil {
				refusals++
			}
		case <-late.C:
			t.Fatal("Handle does not return when its context has ended")
		}
	}
	if refusals == 0 {
		t.Error("a frozen leader confirmed every message")
	}
}

// relayUntilEmpty relays what is in the queue until there are n rows and nothing is left.
func (c *chain) relayUntilEmpty(n int) {
	c.t.Helper()
	inbox, _ := c.store.Inbox(c.t)
	ctx, stop := context.WithCancel(c.t.Context())
	defer stop()
	consumer := rabbitmq.NewConsumer(dialAny(urls(cluster)), c.queue)
	done := make(chan error, 1)
	go func() { done <- runTogether(ctx, consumer, spool.NewRelay(consumer, webhook.Store(inbox))) }()
	var rows, left int
	if err := wait.Until(ctx, "all is relayed", func() bool {
		var err, e error
		rows, err = inbox.Pending(ctx, n+1)
		left, e = ready(ctx, cluster, c.queue)
		return err == nil && e == nil && rows >= n && left == 0
	}); err != nil {
		c.t.Fatalf("%v: %d of %d rows, %d messages are left", err, rows, n, left)
	}
	stop()
	if err := <-done; err != nil {
		c.t.Fatal(err)
	}
}
