package rabbitmq_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/rabbitmq"
)

func TestNamesOfPartitions(t *testing.T) {
	if got := rabbitmq.Queues("hooks", 0); !slices.Equal(got, []string{"hooks"}) {
		t.Errorf("%q", got)
	}
	if got := rabbitmq.Queues("hooks", 2); !slices.Equal(got, []string{"hooks.1-of-2", "hooks.2-of-2"}) {
		t.Errorf("%q", got)
	}
	for _, n := range []int{-1, rabbitmq.MaxPartitions + 1} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%d partitions are accepted", n)
				}
			}()
			rabbitmq.Queues("hooks", n)
		}()
	}
}

func TestOrderingKeyStaysInItsPartition(t *testing.T) {
	if node == nil {
		return
	}
	const partitions, keys, each = 3, 9, 3
	queue := declare(t, node, partitions)
	p := newPublisher(t, node, queue)
	p.Partitions = partitions
	for i := range each {
		for k := range keys {
			publish(t, p, delivery(fmt.Sprint("key", k), fmt.Sprint(i)))
			publish(t, p, delivery("", "unordered"))
		}
	}
	home := make(map[string]string)
	total := 0
	for _, name := range rabbitmq.Queues(queue, partitions) {
		n := messages(t, node, name)
		if n == 0 {
			t.Errorf("%s is empty", name)
		}
		c := run(t, newConsumer(t, node, name))
		next := make(map[string]int)
		for range n {
			got := claim(t, c)
			if key := got.Delivery.OrderingKey; key != "" {
				if home[key] == "" {
					home[key] = name
				}
				if home[key] != name || string(got.Delivery.Body) != fmt.Sprint(next[key]) {
					t.Errorf("%s of %s is in %s and was in %s", got.Delivery.Body, key, name, home[key])
				}
				next[key]++
			}
			settle(t, c, got, done)
		}
		total += n
	}
	if total != 2*keys*each {
		t.Errorf("%d messages of %d", total, 2*keys*each)
	}
}

func TestClocksThatDiffer(t *testing.T) {
	if node == nil {
		return
	}
	queue := declare(t, node, 1)
	p := newPublisher(t, node, queue)
	c := newCutConsumer(queue)
	run(t, c.Consumer)
	var want []*webhook.Delivery
	for i, ahead := range []time.Duration{time.Hour, -time.Hour, 0, 24 * time.Hour, -24 * time.Hour} {
		d := delivery("k", fmt.Sprint(i))
		d.ReceivedAt = d.ReceivedAt.Add(ahead)
		d.UID = fmt.Sprintf("%012x%020x", d.ReceivedAt.UnixMilli(), i)
		want = append(want, publish(t, p, d))
	}
	// What comes again is in the order of publishing, whatever the clocks of the receivers say.
	await(t, "the Consumer has all messages", func() bool { return c.Took(want[len(want)-1].UID) })
	c.cut(t)
	for _, d := range want {
		settleNext(t, c, d)
	}
}
