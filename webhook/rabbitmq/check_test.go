package rabbitmq_test

import (
	"errors"
	"maps"
	"strings"
	"testing"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/hookhouse/hookhouse/webhook/rabbitmq"
)

func TestCheckNamesEachWrongSetting(t *testing.T) {
	if node == nil {
		return
	}
	right := func(queue string) amqp.Table {
		return amqp.Table{
			"x-queue-type": "quorum", "x-single-active-consumer": true, "x-overflow": "reject-publish",
			"x-dead-letter-exchange": "", "x-dead-letter-routing-key": queue + ".dead", "x-dead-letter-strategy": "at-least-once",
		}
	}
	for _, test := range []struct {
		name    string
		change  amqp.Table // nil deletes
		durable bool
		named   []string
	}{
		{"as declared", nil, true, nil},
		{"bounded", amqp.Table{"x-max-length": 1000, "x-max-length-bytes": 1 << 20, "x-quorum-initial-group-size": 1}, true, nil},
		{"classic", amqp.Table{"x-queue-type": "classic", "x-dead-letter-strategy": nil}, true, []string{`x-queue-type is classic and must be quorum`}},
		{"drop-head", amqp.Table{"x-overflow": "drop-head", "x-dead-letter-strategy": nil}, true, []string{`x-overflow is drop-head and must be reject-publish`, "x-dead-letter-strategy is unset"}},
		{"no overflow", amqp.Table{"x-overflow": nil}, true, []string{`x-overflow is unset`}},
		{"no single active consumer", amqp.Table{"x-single-active-consumer": nil}, true, []string{"x-single-active-consumer is unset and must be true"}},
		{"limit", amqp.Table{"x-delivery-limit": 5}, true, []string{"x-delivery-limit is 5 and must be unset"}},
		{"limit of -1, which ends each message before 4.0", amqp.Table{"x-delivery-limit": -1}, true, []string{"x-delivery-limit is -1"}},
		{"time", amqp.Table{"x-message-ttl": 60000, "x-expires": 3600000}, true, []string{"x-message-ttl", "x-expires"}},
		{"nothing", amqp.Table{"x-queue-type": nil, "x-single-active-consumer": nil, "x-overflow": nil, "x-dead-letter-exchange": nil, "x-dead-letter-routing-key": nil, "x-dead-letter-strategy": nil}, false,
			[]string{"durable is false and must be true"}},
	} {
		queue := declare(t, node, 1)
		conn := connect(t, node)
		ch, err := conn.Channel()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ch.QueueDelete(queue, false, false, false); err != nil {
			t.Fatal(err)
		}
		args := right(queue)
		maps.Copy(args, test.change)
		maps.DeleteFunc(args, func(_ string, v any) bool { return v == nil })
		if _, err := ch.QueueDeclare(queue, test.durable, false, false, false, args); err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		if test.named == nil {
			if err := rabbitmq.Check(t.Context(), conn, queue, 1); err != nil {
				t.Errorf("%s: %v", test.name, err)
			}
			continue
		}
		p := newPublisher(t, node, queue)
		handled := p.Handle(t.Context(), delivery("k", "body"))
		mustNotStore(t, handled)
		c := run(t, newConsumer(t, node, queue))
		var pinged error
		await(t, "the Consumer has tried to connect", func() bool {
			pinged = c.Ping(t.Context())
			return errors.Is(pinged, rabbitmq.ErrSettings)
		})
		for _, err := range []error{rabbitmq.Check(t.Context(), conn, queue, 1), p.Ping(t.Context()), handled, pinged} {
			if !errors.Is(err, rabbitmq.ErrSettings) {
				t.Errorf("%s: no ErrSettings: %v", test.name, err)
				continue
			}
			for _, text := range test.named {
				if !strings.Contains(err.Error(), text) {
					t.Errorf("%s: the error does not say %q: %v", test.name, text, err)
				}
			}
			if n := strings.Count(err.Error(), rabbitmq.ErrSettings.Error()); n != len(test.named) && test.durable {
				t.Errorf("%s: %d settings are named: %v", test.name, n, err)
			}
		}
		if err := rabbitmq.Declare(t.Context(), conn, queue, 1); !errors.Is(err, rabbitmq.ErrSettings) {
			t.Errorf("%s: Declare: %v", test.name, err)
		}
		if n := messages(t, node, queue); n != 0 {
			t.Errorf("%s: the queue has %d messages", test.name, n)
		}
	}
}

func TestMissingDeadQueueIsNamed(t *testing.T) {
	if node == nil {
		return
	}
	queue := declare(t, node, 1)
	conn := connect(t, node)
	ch, err := conn.Channel()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ch.QueueDelete(rabbitmq.DeadQueue(queue), false, false, false); err != nil {
		t.Fatal(err)
	}
	err = rabbitmq.Check(t.Context(), conn, queue, 1)
	if !errors.Is(err, rabbitmq.ErrNoQueue) || !strings.Contains(err.Error(), queue+".dead") {
		t.Error(err)
	}
	if err := rabbitmq.Check(t.Context(), conn, queue, 2); !errors.Is(err, rabbitmq.ErrNoQueue) || !strings.Contains(err.Error(), queue+".2-of-2") {
		t.Errorf("another number of partitions: %v", err)
	}
}
