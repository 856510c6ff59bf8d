package edgetest

import (
	"context"
	"flag"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/hookhouse/hookhouse/internal/dbtest/wait"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/rabbitmq"
	"github.com/hookhouse/hookhouse/webhook/spool"
)

var cuts = flag.Int("cuts", 1000, "how many deliveries are cut off between the commit of Store and the acknowledgement")

// together is how many deliveries one cut meets.
const together = 50

// A cutter is a Handler between a Relay and Store. It holds each delivery that it has stored. When
// it holds together of them, it cuts the connections of the consumer, so that none is acknowledged.
type cutter struct {
	store webhook.Handler
	most  int

	mu        sync.Mutex
	conns     []net.Conn    // since the last cut: from one of them the consumer gets messages, from another it publishes
	committed int           // since then
	cut       chan struct{} // closed with them
	cuts      int
	stored    int             // deliveries; none of these commits is acknowledged
	known     map[string]bool // UIDs of deliveries that came again
}

// dial makes a connection that is cut.
func (c *cutter) dial(ctx context.Context) (*amqp.Connection, error) {
	return dial(ctx, cluster.Node(0).URL(), func(conn net.Conn) {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.conns == nil {
			c.committed, c.cut = 0, make(chan struct{})
		}
		c.conns = append(c.conns, conn)
	})
}

// Handle stores d and waits for the cut, if d is new.
func (c *cutter) Handle(ctx context.Context, d *webhook.Delivery) error {
	err := c.store.Handle(ctx, d)
	c.mu.Lock()
	if err != nil {
		if webhook.IsDuplicate(err) {
			c.known[d.UID] = true
		}
		c.mu.Unlock()
		return err
	}
	cut := c.cut
	c.committed++
	c.stored++
	if c.committed == together || c.stored == c.most {
		c.cuts++
		for _, conn := range c.conns {
			_ = conn.Close()
		}
		c.conns = nil
		close(cut)
	}
	c.mu.Unlock()
	select {
	case <-cut:
		return nil // the acknowledgement is lost with the connection
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (c *cutter) counts() (cuts, stored, known int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cuts, c.stored, len(c.known)
}

func TestRowsAreExactIfEachAcknowledgementIsCutOff(t *testing.T) {
	c := newChain(t, 0, 0, 0)
	if c == nil {
		return
	}
	inbox, _ := c.store.Inbox(t)
	publisher := rabbitmq.NewPublisher(dialAny(urls(cluster)), c.queue)
	defer publisher.Close()
	want := publishAll(t, publisher, *cuts)
	cutter := &cutter{store: webhook.Store(inbox), most: *cuts, known: make(map[string]bool)}
	for stored := 0; stored < *cuts; _, stored, _ = cutter.counts() {
		before, _, _ := cutter.counts()
		// What is claimed then has lost its connection: nothing is to be waited for.
		cutter.relay(t, c.queue, time.Millisecond, func() bool { now, _, _ := cutter.counts(); return now > before })
	}
	// What came again on a connection that was cut later is known, and comes once more.
	cutter.relay(t, c.queue, patience, func() bool { _, _, known := cutter.counts(); return known == *cuts && c.holdsNothing() })
	n, stored, known := cutter.counts()
	fmt.Fprintf(t.Output(), "%d cuts, %d deliveries stored without an acknowledgement, %d came again\n", n, stored, known)
	c.wantRows(want)
	c.wantEmpty(rabbitmq.DeadQueue(c.queue))
}

// relay runs a Relay with a new consumer until holds reports true. Then it waits for what is
// claimed to be acknowledged, for at most shutdown.
func (c *cutter) relay(t *testing.T, queue string, shutdown time.Duration, holds func() bool) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	consumer := rabbitmq.NewConsumer(c.dial, queue)
	consumer.ShutdownTimeout = shutdown
	r := spool.NewRelay(consumer, c)
	r.Concurrency, r.Timeout = together, patience
	done := make(chan error, 1)
	go func() { done <- runTogether(ctx, consumer, r) }()
	if err := wait.Until(ctx, "deliveries are cut off", holds); err != nil {
		n, stored, known := c.counts()
		t.Fatalf("%v: %d cuts, %d stored, %d came again", err, n, stored, known)
	}
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}
