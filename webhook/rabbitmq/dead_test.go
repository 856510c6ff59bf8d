package rabbitmq_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/rabbitmq"
)

// takeDead waits for a message in the dead queue of queue and takes it.
func takeDead(t *testing.T, queue string) amqp.Delivery {
	t.Helper()
	ch, err := connect(t, node).Channel()
	if err != nil {
		t.Fatal(err)
	}
	var m amqp.Delivery
	await(t, "the dead queue has a message", func() bool {
		var ok bool
		if m, ok, err = ch.Get(rabbitmq.DeadQueue(queue), true); err != nil {
			t.Fatal(err)
		}
		return ok
	})
	return m
}

// send publishes a message as another program would.
func send(t *testing.T, queue string, m amqp.Publishing) {
	t.Helper()
	ch, err := connect(t, node).Channel()
	if err != nil {
		t.Fatal(err)
	}
	if err := ch.Confirm(false); err != nil {
		t.Fatal(err)
	}
	confirmation, err := ch.PublishWithDeferredConfirm("", queue, true, false, m)
	if err != nil || !confirmation.Wait() {
		t.Fatalf("the message is not published: %v", err)
	}
}

func TestDeadDeliveryIsInTheDeadQueueWithItsReason(t *testing.T) {
	if node == nil {
		return
	}
	queue := declare(t, node, 1)
	d := publish(t, newPublisher(t, node, queue), delivery("k", "body"))
	c := run(t, newConsumer(t, node, queue))
	settle(t, c, claim(t, c), webhook.Outcome{State: webhook.Waiting, Reason: "not yet"})
	got := claim(t, c)
	settle(t, c, got, webhook.Outcome{State: webhook.Dead, Reason: "never"})
	settle(t, c, got, webhook.Outcome{State: webhook.Dead, Reason: "never"}) // changes nothing
	m := takeDead(t, queue)
	if m.Headers["hookhouse-reason"] != "never" || m.Headers["hookhouse-queue"] != queue || m.Headers["hookhouse-attempt"] != int64(2) {
		t.Errorf("headers: %v", m.Headers)
	}
	back := new(webhook.Delivery)
	if err := back.UnmarshalBinary(m.Body); err != nil || back.UID != d.UID {
		t.Errorf("the body is %q, %v", back.UID, err)
	}
	for _, queue := range []string{queue, rabbitmq.DeadQueue(queue)} {
		if n := messages(t, node, queue); n != 0 {
			t.Errorf("%s has %d messages", queue, n)
		}
	}
}

func TestDeadDeliveryIsKeptWithoutADeadQueue(t *testing.T) {
	if node == nil {
		return
	}
	queue := declare(t, node, 1)
	d := publish(t, newPublisher(t, node, queue), delivery("k", "body"))
	c := run(t, newConsumer(t, node, queue))
	got := claim(t, c)
	conn := connect(t, node)
	ch, err := conn.Channel()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ch.QueueDelete(rabbitmq.DeadQueue(queue), false, false, false); err != nil {
		t.Fatal(err)
	}
	dead := webhook.Outcome{State: webhook.Dead, Reason: "never"}
	if _, err := c.Settle(t.Context(), got, dead); !errors.Is(err, rabbitmq.ErrNoQueue) || errors.Is(err, webhook.ErrClaimLost) {
		t.Fatalf("Settle: %v", err)
	}
	if due, err := c.NextDue(t.Context(), webhook.ClaimOptions{}); due < time.Minute || err != nil {
		t.Errorf("the lease of an hour ends in %v, %v", due, err)
	}
	if err := rabbitmq.Declare(t.Context(), conn, queue, 1); err != nil {
		t.Fatal(err)
	}
	settle(t, c, got, dead) // the claim is still held
	if m := takeDead(t, queue); m.MessageId != d.UID {
		t.Errorf("the dead queue has %q", m.MessageId)
	}
}

func TestMessageThatIsNoDeliveryGoesToTheDeadQueueAsItIs(t *testing.T) {
	if node == nil {
		return
	}
	queue := declare(t, node, 1)
	c := run(t, newConsumer(t, node, queue))
	p := newPublisher(t, node, queue)
	raw, err := delivery("k", "body").MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	newer := strings.Replace(string(raw), `"version":1`, `"version":2,"more":true`, 1)
	for _, test := range []struct{ name, body, reason string }{
		{"foreign", "\x00\xff not a delivery", "not an encoded delivery"},
		{"empty", "", "not an encoded delivery"},
		{"newer", newer, "version"},
		{"cut", string(raw[:len(raw)-1]), "body"},
	} {
		send(t, queue, amqp.Publishing{MessageId: test.name, ContentType: "text/plain", Headers: amqp.Table{"own": "kept"}, Body: []byte(test.body)})
		m := takeDead(t, queue)
		why, _ := m.Headers["hookhouse-reason"].(string)
		if string(m.Body) != test.body || m.MessageId != test.name || m.ContentType != "text/plain" || m.Headers["own"] != "kept" || !strings.Contains(why, test.reason) {
			t.Errorf("%s: %q %v", test.name, m.Body, m.Headers)
		}
		settleNext(t, c, publish(t, p, delivery("k", "body"))) // the others go on
	}
	await(t, "nothing is left", func() bool { return messages(t, node, queue) == 0 })
	large := strings.Repeat("h", 60<<10) // with ours it would not fit into a frame twice
	send(t, queue, amqp.Publishing{Headers: amqp.Table{"own": large, "own2": large}, Body: []byte("large headers")})
	if m := takeDead(t, queue); string(m.Body) != "large headers" {
		t.Errorf("%q", m.Body)
	}
}

func TestMessageThatAsksForCopiesIsInTheDeadQueueOnce(t *testing.T) {
	if node == nil {
		return
	}
	queue := declare(t, node, 1)
	c := run(t, newConsumer(t, node, queue))
	// The server puts a copy into each queue that these headers name.
	send(t, queue, amqp.Publishing{Headers: amqp.Table{"CC": []any{queue}, "own": "kept"}, Body: []byte("not a delivery")})
	if m := takeDead(t, queue); string(m.Body) != "not a delivery" || m.Headers["own"] != "kept" {
		t.Errorf("%q %v", m.Body, m.Headers)
	}
	settleNext(t, c, publish(t, newPublisher(t, node, queue), delivery("k", "body"))) // behind any copy
	await(t, "the queue is empty", func() bool { return messages(t, node, queue) == 0 })
	if n := messages(t, node, rabbitmq.DeadQueue(queue)); n != 0 {
		t.Errorf("the dead queue has %d copies", n)
	}
}

func TestServerWithoutDiskStillReadsAcknowledgements(t *testing.T) {
	if node == nil {
		return
	}
	queue := declare(t, node, 1)
	p := newPublisher(t, node, queue)
	for i := range 4 {
		publish(t, p, delivery(fmt.Sprint(i), "body"))
	}
	consumer := newConsumer(t, node, queue)
	consumer.Prefetch = 2
	c := run(t, consumer)
	first, second := claim(t, c), claim(t, c)
	defer withoutDisk(t)()
	dead := webhook.Outcome{State: webhook.Dead, Reason: "never"}
	if _, err := c.Settle(t.Context(), first, dead); err == nil || !strings.Contains(err.Error(), "takes no messages") || errors.Is(err, webhook.ErrClaimLost) {
		t.Fatalf("Settle: %v", err)
	}
	settle(t, c, second, done)
	third := claim(t, c) // which the server gives out when it has read that acknowledgement
	settle(t, c, third, done)
	settle(t, c, claim(t, c), done)
}

// settleNext claims the next delivery, which must be d, and settles it as done.
func settleNext(t *testing.T, q webhook.Queue, d *webhook.Delivery) {
	t.Helper()
	got := claim(t, q)
	if got.Delivery.UID != d.UID {
		t.Fatalf("the next delivery is %s with %q, want %s with %q", got.Delivery.UID, got.Delivery.Body, d.UID, d.Body)
	}
	settle(t, q, got, done)
}
