package edgetest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/hookhouse/hookhouse/internal/broker"
	"github.com/hookhouse/hookhouse/internal/dbtest/ledger"
	"github.com/hookhouse/hookhouse/internal/dbtest/wait"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/rabbitmq"
	"github.com/hookhouse/hookhouse/webhook/spool"
)

// confirmed is what was published and confirmed, by UID. It is safe for concurrent use.
type confirmed struct {
	mu   sync.Mutex
	uids map[string]bool
	last error // of those that were refused
}

func (c *confirmed) add(uid string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.uids[uid] = true
}

func (c *confirmed) refuse(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last = err
}

func (c *confirmed) len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.uids)
}

func TestConfirmedSurvivesPowerLossOfAllNodes(t *testing.T) {
	if cluster == nil {
		return
	}
	d := mountDisk(t)
	if d == nil {
		return
	}
	t.Setenv("TMPDIR", d.folder)
	nodes, err := broker.Start(t.Context(), 3)
	if err != nil {
		t.Fatal(err)
	}
	defer nodes.Stop()
	const queue = "powerloss"
	if err := declare(t.Context(), nodes, queue); err != nil {
		t.Fatal(err)
	}
	flushAll(t, nodes, d)
	lost, err := losePower(t, nodes, d, queue)
	if err != nil {
		t.Fatalf("%.2000v", err)
	}
	if len(lost) > 0 {
		t.Errorf("%d confirmed deliveries were lost: %s", len(lost), ledger.First(lost, " "))
	}
	flushAll(t, nodes, d)
	d.do(t, "ignore")
	lost, err = losePower(t, nodes, d, queue)
	fmt.Fprintf(t.Output(), "without flushes %d confirmed deliveries were lost, %.300v\n", len(lost), err)
	if len(lost) == 0 && err == nil { // the queue may not come back at all
		t.Error("nothing is lost on a disk that ignores flushes: the test proves nothing")
	}
}

// flushAll flushes what nodes and disk do by themselves after a while. So the queue is an old one:
// a node that loses power within seconds after a queue is declared may forget which log it has.
func flushAll(t *testing.T, nodes *broker.Cluster, d *diskProcess) {
	t.Helper()
	var all errgroup.Group
	for _, n := range nodes.Nodes() {
		all.Go(func() error {
			return retry(t.Context(), func(ctx context.Context) error {
				_, err := n.Eval(ctx, "mnesia:sync_log(), [dets:sync(T) || T <- dets:all()].")
				return err
			})
		})
	}
	if err := all.Wait(); err != nil {
		t.Fatal(err)
	}
	d.do(t, "flush")
}

// losePower publishes, cuts the power of all nodes under load, starts them again, and returns
// what was confirmed and is not in the queue.
func losePower(t *testing.T, nodes *broker.Cluster, d *diskProcess, queue string) (lost []string, err error) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	c := &confirmed{uids: make(map[string]bool)}
	publisher := rabbitmq.NewPublisher(dialAny(urls(nodes)), queue)
	defer publisher.Close()
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			for ctx.Err() == nil {
				e := webhook.NewDelivery("edge", "edge.entry", "", make([]byte, 1000))
				if err := publisher.Handle(ctx, e); err != nil {
					c.refuse(err)
					_ = wait.Part(ctx, 100*time.Millisecond)
					continue
				}
				c.add(e.UID)
			}
		})
	}
	if err := wait.Until(ctx, "500 messages are confirmed", func() bool { return c.len() >= 500 }); err != nil {
		t.Fatalf("%v: %d are, %v", err, c.len(), c.last)
	}
	// No node must see another one go: it would note that without a flush, and not start again.
	for _, n := range nodes.Nodes() {
		if err := n.Freeze(); err != nil {
			t.Fatal(err)
		}
	}
	if err := killNodes(nodes); err != nil {
		t.Fatal(err)
	}
	stop()
	all.Wait()
	d.do(t, "cut")
	if err := restartNodes(t.Context(), nodes); err != nil {
		return nil, err
	}
	taken, err := takeAll(t.Context(), nodes, queue)
	if err != nil {
		return nil, err
	}
	for uid := range c.uids {
		if !taken[uid] {
			lost = append(lost, uid)
		}
	}
	return lost, nil
}

// takeAll takes all messages out of a queue and returns their UIDs. A last message, which is
// published now, is behind all others.
func takeAll(ctx context.Context, nodes *broker.Cluster, queue string) (taken map[string]bool, err error) {
	publisher := rabbitmq.NewPublisher(dialAny(urls(nodes)), queue)
	defer publisher.Close()
	last := webhook.NewDelivery("edge", "edge.entry", "", nil)
	if err := retry(ctx, func(ctx context.Context) error { return publisher.Handle(ctx, last) }); err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	c := &confirmed{uids: make(map[string]bool)}
	consumer := rabbitmq.NewConsumer(dialAny(urls(nodes)), queue)
	r := spool.NewRelay(consumer, webhook.HandlerFunc(func(_ context.Context, e *webhook.Delivery) error {
		c.add(e.UID)
		return nil
	}))
	done := make(chan error, 1)
	go func() { done <- runTogether(ctx, consumer, r) }()
	if err := wait.Until(ctx, "the queue is empty", func() bool {
		left, err := ready(ctx, nodes, queue)
		c.mu.Lock()
		defer c.mu.Unlock()
		return err == nil && left == 0 && c.uids[last.UID]
	}); err != nil {
		return nil, err
	}
	stop()
	err = <-done
	return c.uids, err
}
