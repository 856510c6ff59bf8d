package rabbitmq_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/rabbitmq"
)

// A cutConsumer is a Consumer whose connections a test can end.
type cutConsumer struct {
	*rabbitmq.Consumer
	mu    sync.Mutex
	conns []*amqp.Connection
}

func newCutConsumer(queue string) *cutConsumer {
	c := new(cutConsumer)
	c.Consumer = rabbitmq.NewConsumer(func(ctx context.Context) (*amqp.Connection, error) {
		conn, err := dialer(node.URL())(ctx)
		if err == nil {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.conns = append(c.conns, conn)
		}
		return conn, err
	}, queue)
	return c
}

// cut ends the connections, and returns when the Consumer has another one.
func (c *cutConsumer) cut(t *testing.T) {
	t.Helper()
	c.mu.Lock()
	before := len(c.conns)
	for _, conn := range c.conns {
		_ = conn.Close() // it may have ended
	}
	c.mu.Unlock()
	await(t, "the Consumer has connected again", func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		return len(c.conns) > before && c.Ping(t.Context()) == nil
	})
}

func TestClaimsOfALostConnectionAreLostAndOrderIsKept(t *testing.T) {
	if node == nil {
		return
	}
	const keys, each, cuts = 5, 12, 4
	queue := declare(t, node, 1)
	p := newPublisher(t, node, queue)
	var want [keys][]string
	for i := range each {
		for k := range keys {
			want[k] = append(want[k], publish(t, p, delivery(fmt.Sprint(k), fmt.Sprint(i))).UID)
		}
	}
	c := newCutConsumer(queue)
	run(t, c.Consumer)
	var fence int64
	for cut := range cuts {
		var claims []webhook.Claim
		for len(claims) < keys {
			claims = append(claims, claim(t, c))
		}
		for i, held := range claims {
			if i < 2 { // the others are lost with the connection
				key := keyOf(t, held)
				if held.Delivery.UID != want[key][0] {
					t.Fatalf("cut %d: key %d: got %q out of order", cut, key, held.Delivery.Body)
				}
				settle(t, c, held, done)
				want[key] = want[key][1:]
			}
		}
		c.cut(t) // after which the server has read the acknowledgements
		for _, held := range claims[2:] {
			for name, err := range map[string]error{
				"Extend": c.Extend(t.Context(), held, 1),
				"Settle": second(c.Settle(t.Context(), held, done)),
				"Begin":  second(c.Begin(t.Context(), held)),
			} {
				if !errors.Is(err, webhook.ErrClaimLost) {
					t.Errorf("%s of a lost claim: %v", name, err)
				}
			}
			fence = max(fence, held.Fence)
		}
	}
	for left := keys*each - 2*cuts; left > 0; left-- {
		got := claim(t, c)
		if got.Fence <= fence {
			t.Errorf("the fence %d is not higher than %d of a lost claim", got.Fence, fence)
		}
		key := keyOf(t, got)
		if got.Delivery.UID != want[key][0] {
			t.Fatalf("key %d: got %q out of order", key, got.Delivery.Body)
		}
		want[key] = want[key][1:]
		settle(t, c, got, done)
	}
	await(t, "the queue is empty", func() bool { return messages(t, node, queue) == 0 })
}

// keyOf returns the ordering key of a claim, which is a number.
func keyOf(t *testing.T, c webhook.Claim) int {
	t.Helper()
	key, err := strconv.Atoi(c.Delivery.OrderingKey)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// second returns the second of two results.
func second[T any](_ T, err error) error { return err }

func TestWaitingConsumerTakesOverInOrder(t *testing.T) {
	if node == nil {
		return
	}
	const n = 40
	queue := declare(t, node, 1)
	p := newPublisher(t, node, queue)
	active := newConsumer(t, node, queue)
	active.Prefetch = 16
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- active.Run(ctx) }()
	var want []*webhook.Delivery
	for i := range n {
		want = append(want, publish(t, p, delivery("k", fmt.Sprint(i))))
	}
	settleNext(t, active, want[0])
	waiting := run(t, newConsumer(t, node, queue))
	await(t, "the second Consumer is connected", func() bool { return waiting.Ping(t.Context()) == nil })
	settleNext(t, active, want[1])
	if claims, err := waiting.Claim(t.Context(), webhook.ClaimOptions{N: n}); len(claims) != 0 || err != nil {
		t.Fatalf("both Consumers are active: %v, %v", claims, err)
	}
	held := claim(t, active)
	stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if _, err := active.Settle(t.Context(), held, done); !errors.Is(err, webhook.ErrClaimLost) {
		t.Errorf("Settle after the end of Run: %v", err)
	}
	// Acknowledgements have no answer: the last may come again.
	got := claim(t, waiting)
	if got.Delivery.UID == want[1].UID {
		settle(t, waiting, got, done)
		got = claim(t, waiting)
	}
	for i := 2; ; i++ {
		if got.Delivery.UID != want[i].UID {
			t.Fatalf("%d: got %q out of order", i, got.Delivery.Body)
		}
		settle(t, waiting, got, done)
		if i == n-1 {
			break
		}
		got = claim(t, waiting)
	}
}
