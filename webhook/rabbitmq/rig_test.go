package rabbitmq_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync/atomic"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/hookhouse/hookhouse/internal/broker"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/rabbitmq"
)

// node is the node that most tests share. It is nil if RabbitMQ is not installed.
var node *broker.Node

// smallest is the message limit of node in bytes.
const smallest = 4 << 20

func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	c, err := broker.Start(context.Background(), 1, fmt.Sprint("max_message_size = ", smallest))
	switch {
	case err == nil:
		node = c.Node(0)
	case errors.Is(err, broker.ErrNotInstalled) && os.Getenv("CI") != "true":
		fmt.Println("left out: the tests on", err)
	default:
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	if c != nil {
		c.Stop()
	}
	os.Exit(code)
}

// patience limits a wait. A machine under load needs it.
const patience = 3 * time.Minute

// dialer returns a dial func to an URL.
func dialer(url string) func(ctx context.Context) (*amqp.Connection, error) {
	return func(ctx context.Context) (*amqp.Connection, error) {
		return amqp.DialConfig(url, amqp.Config{Heartbeat: 5 * time.Second, Dial: func(network, addr string) (net.Conn, error) {
			conn, err := new(net.Dialer).DialContext(ctx, network, addr)
			if err == nil {
				deadline, _ := ctx.Deadline()
				err = conn.SetDeadline(deadline) // the library ends it after the handshake
			}
			return conn, err
		}})
	}
}

// connect returns a connection to a node, which ends with the test.
func connect(t *testing.T, n *broker.Node) *amqp.Connection {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := dialer(n.URL())(ctx)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.CloseDeadline(time.Now().Add(time.Second)) })
	return conn
}

var queueNumber atomic.Int64

// newName returns a name that no other queue has.
func newName() string { return fmt.Sprint("hooks", queueNumber.Add(1)) }

// declare returns a new queue on a node.
func declare(t *testing.T, n *broker.Node, partitions int) string {
	t.Helper()
	queue := newName()
	if err := rabbitmq.Declare(t.Context(), connect(t, n), queue, partitions); err != nil {
		t.Fatal(err)
	}
	return queue
}

func newPublisher(t *testing.T, n *broker.Node, queue string) *rabbitmq.Publisher {
	p := rabbitmq.NewPublisher(dialer(n.URL()), queue)
	t.Cleanup(func() { p.Close() })
	return p
}

// run runs a Consumer until the test ends.
func run(t *testing.T, c *rabbitmq.Consumer) *rabbitmq.Consumer {
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return c
}

func newConsumer(t *testing.T, n *broker.Node, queue string) *rabbitmq.Consumer {
	c := rabbitmq.NewConsumer(dialer(n.URL()), queue)
	c.ShutdownTimeout = time.Millisecond // nothing waits for claims that a test leaves
	return c
}

// delivery returns a delivery of an ordering key.
func delivery(key, body string) *webhook.Delivery {
	return webhook.NewDelivery("acme", "acme.push", key, []byte(body))
}

// publish publishes a delivery and returns it.
func publish(t *testing.T, p *rabbitmq.Publisher, d *webhook.Delivery) *webhook.Delivery {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := p.Handle(ctx, d); err != nil {
		t.Fatal(err)
	}
	return d
}

// claim waits for the next claim.
func claim(t *testing.T, q webhook.Queue) webhook.Claim {
	t.Helper()
	var claims []webhook.Claim
	await(t, "a delivery can be claimed", func() bool {
		var err error
		if claims, err = q.Claim(t.Context(), webhook.ClaimOptions{Lease: time.Hour}); err != nil {
			t.Fatal(err)
		}
		return len(claims) > 0
	})
	return claims[0]
}

// settle settles a claim.
func settle(t *testing.T, q webhook.Queue, c webhook.Claim, o webhook.Outcome) {
	t.Helper()
	if state, err := q.Settle(t.Context(), c, o); err != nil || state != o.State {
		t.Fatalf("Settle: %v, %v", state, err)
	}
}

var done = webhook.Outcome{State: webhook.Done}

// await polls until holds reports true.
func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

// messages returns the number of messages in a queue, given out or not.
func messages(t *testing.T, n *broker.Node, queue string) int {
	t.Helper()
	ch, err := connect(t, n).Channel()
	if err != nil {
		t.Fatal(err)
	}
	q, err := ch.QueueDeclarePassive(queue, true, false, false, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	return q.Messages
}
