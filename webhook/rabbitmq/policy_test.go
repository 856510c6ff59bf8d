package rabbitmq_test

import (
	"fmt"
	"testing"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/rabbitmq"
)

// Check does not see policies. What the server gives up through the delivery limit of one is in
// the dead queue.
func TestDeliveryLimitOfAPolicyMovesToTheDeadQueue(t *testing.T) {
	if node == nil {
		return
	}
	queue := declare(t, node, 1)
	if _, err := node.Ctl(t.Context(), "set_policy", queue, "^"+queue+"$", `{"delivery-limit":2}`, "--apply-to", "queues"); err != nil {
		t.Fatal(err)
	}
	p := newPublisher(t, node, queue)
	if err := p.Ping(t.Context()); err != nil {
		t.Fatalf("the policy is seen: %v", err)
	}
	want := make(map[string]string) // by UID: the body
	for i := range 3 {
		d := publish(t, p, delivery(fmt.Sprint(i), fmt.Sprint("body", i)))
		want[d.UID] = string(d.Body)
	}
	c := newCutConsumer(queue)
	run(t, c.Consumer)
	await(t, "the Consumer is connected", func() bool { return c.Ping(t.Context()) == nil })
	await(t, "each is given out for the last time", func() bool {
		if _, err := c.Claim(t.Context(), webhook.ClaimOptions{N: len(want)}); err != nil {
			t.Fatal(err)
		}
		if messages(t, node, rabbitmq.DeadQueue(queue)) == len(want) {
			return true
		}
		c.cut(t)
		return false
	})
	for range len(want) {
		m := takeDead(t, queue)
		d := new(webhook.Delivery)
		if err := d.UnmarshalBinary(m.Body); err != nil || want[d.UID] != string(d.Body) {
			t.Errorf("the dead queue has %q, %v", d.UID, err)
		}
		delete(want, d.UID)
		deaths, _ := m.Headers["x-death"].([]any)
		if len(deaths) != 1 {
			t.Fatalf("headers: %v", m.Headers)
		}
		if death, _ := deaths[0].(amqp.Table); death["reason"] != "delivery_limit" || death["queue"] != queue {
			t.Errorf("x-death: %v", deaths)
		}
	}
	if len(want) > 0 {
		t.Errorf("lost: %v", want)
	}
	settleNext(t, c, publish(t, p, delivery("k", "the others go on")))
}
