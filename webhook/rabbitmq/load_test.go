package rabbitmq_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/hookhouse/hookhouse/internal/broker"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/rabbitmq"
)

// A load publishes deliveries of several ordering keys, each again until it is acknowledged,
// and relays them into a record.
type load struct {
	acknowledged atomic.Int64
	refused      atomic.Int64
	total        int64
	published    sync.WaitGroup

	mu    sync.Mutex
	seen  map[string]int      // by UID: how often it was relayed
	order map[string][]string // by ordering key: the bodies, each once
	want  map[string][]string // by ordering key: the UIDs that were acknowledged
}

// startLoad starts publishers and two relays.
func startLoad(t *testing.T, dial func(ctx context.Context) (*amqp.Connection, error), queue string, keys, each int) *load {
	l := &load{total: int64(keys * each), seen: make(map[string]int), order: make(map[string][]string), want: make(map[string][]string)}
	p := rabbitmq.NewPublisher(dial, queue)
	t.Cleanup(func() { p.Close() })
	for range 2 {
		c := rabbitmq.NewConsumer(dial, queue)
		c.ShutdownTimeout = time.Millisecond
		c.Prefetch = 64
		run(t, c)
		t.Cleanup(relay(t, c, webhook.HandlerFunc(l.record)))
	}
	for k := range keys {
		l.published.Go(func() {
			for i := range each {
				d := delivery(fmt.Sprint("key", k), fmt.Sprint(i))
				for !l.publish(t.Context(), p, d) {
					if t.Context().Err() != nil {
						return
					}
				}
			}
		})
	}
	return l
}

// publish tries once, as a Spool does.
func (l *load) publish(ctx context.Context, p *rabbitmq.Publisher, d *webhook.Delivery) bool {
	try, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if err := p.Handle(try, d); err != nil {
		l.refused.Add(1)
		return false
	}
	l.acknowledged.Add(1)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.want[d.OrderingKey] = append(l.want[d.OrderingKey], d.UID)
	return true
}

func (l *load) record(_ context.Context, d *webhook.Delivery) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.seen[d.UID]++; l.seen[d.UID] == 1 {
		l.order[d.OrderingKey] = append(l.order[d.OrderingKey], string(d.Body))
	}
	return nil
}

// until waits until a part of the deliveries is acknowledged, in percent.
func (l *load) until(t *testing.T, percent int64) {
	t.Helper()
	await(t, fmt.Sprintf("%d %% are acknowledged", percent), func() bool { return l.acknowledged.Load()*100 >= l.total*percent })
}

// check waits for the end and fails if an acknowledged delivery was lost or overtaken.
func (l *load) check(t *testing.T) {
	t.Helper()
	l.until(t, 100)
	l.published.Wait()
	await(t, "all are relayed", func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		return int64(len(l.seen)) >= l.total
	})
	l.mu.Lock()
	defer l.mu.Unlock()
	again := 0
	for _, n := range l.seen {
		again += n - 1
	}
	for key, uids := range l.want {
		for _, uid := range uids {
			if l.seen[uid] == 0 {
				t.Errorf("%s of %s was acknowledged and is lost", uid, key)
			}
		}
		for i, body := range l.order[key] {
			if body != fmt.Sprint(i) {
				t.Errorf("%s: %s is in place %d", key, body, i)
				break
			}
		}
	}
	t.Logf("%d acknowledged, %d tries refused, %d relayed again", l.acknowledged.Load(), l.refused.Load(), again)
}

// anyOf returns a dial func that connects to the first of the nodes that answers, another one
// first each time.
func anyOf(nodes []*broker.Node) func(ctx context.Context) (*amqp.Connection, error) {
	var turn atomic.Int64
	return func(ctx context.Context) (conn *amqp.Connection, err error) {
		first := int(turn.Add(1))
		for i := range nodes {
			try, cancel := context.WithTimeout(ctx, 10*time.Second)
			conn, err = dialer(nodes[(first+i)%len(nodes)].URL())(try)
			cancel()
			if err == nil {
				break
			}
		}
		return conn, err
	}
}

func TestKilledNodeLosesNothingThatWasAcknowledged(t *testing.T) {
	if node == nil {
		return
	}
	t.Parallel()
	c := startCluster(t, 1)
	n := c.Node(0)
	queue := declare(t, n, 1)
	syncDirectory(t, n)
	l := startLoad(t, dialer(n.URL()), queue, 10, 60)
	for _, percent := range []int64{20, 60} {
		l.until(t, percent)
		if err := n.Kill(); err != nil {
			t.Fatal(err)
		}
		if err := n.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	l.check(t)
}

// syncDirectory makes a node write down which queues it has. RabbitMQ 3.10 does so half a second
// after a queue was declared, see https://github.com/rabbitmq/ra/pull/443. A node that is killed
// earlier begins with an empty queue.
func syncDirectory(t *testing.T, n *broker.Node) {
	t.Helper()
	if out, err := n.Eval(t.Context(), "dets:sync(ra_directory_reverse)."); err != nil || out != "ok" {
		t.Fatalf("%q, %v", out, err)
	}
}

func startCluster(t *testing.T, n int) *broker.Cluster {
	t.Helper()
	c, err := broker.Start(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			for _, n := range c.Nodes() {
				t.Logf("%s printed:\n%s", n.Name(), n.Log())
			}
		}
		c.Stop()
	})
	return c
}
