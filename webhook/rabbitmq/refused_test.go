package rabbitmq_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/rabbitmq"
)

// storesNothing reports whether err says that nothing was stored, with the status for the sender.
func storesNothing(err error) bool {
	return errors.Is(err, webhook.ErrNotStored) && webhook.StatusCode(err) == http.StatusServiceUnavailable
}

// mustNotStore fails unless err says that nothing was stored.
func mustNotStore(t *testing.T, err error) {
	t.Helper()
	if !storesNothing(err) {
		t.Fatalf("the error is no ErrNotStored: %v", err)
	}
}

func TestConnectionErrorsAreToldApart(t *testing.T) {
	if node == nil {
		return
	}
	queue := declare(t, node, 1)
	if _, err := node.Ctl(t.Context(), "add_user", "reader", "secret"); err != nil {
		t.Fatal(err)
	}
	if _, err := node.Ctl(t.Context(), "set_permissions", "reader", "^$", ".*", ".*"); err != nil {
		t.Fatal(err)
	}
	hasCode := func(code int) func(error) bool {
		return func(err error) bool {
			refusal, ok := errors.AsType[*amqp.Error](err)
			return ok && refusal.Code == code
		}
	}
	var all sync.WaitGroup // each waits before it connects for the second time
	for _, test := range []struct {
		name, url, queue, text string
		is                     func(error) bool
	}{
		{"password", node.URLAs("guest", "tops3cret", "/"), queue, "username or password", func(err error) bool { return errors.Is(err, amqp.ErrCredentials) || hasCode(403)(err) }},
		{"virtual host", node.URLAs("guest", "guest", "absent"), queue, "vhost absent not found", hasCode(530)},
		{"permission", node.URLAs("reader", "secret", "/"), queue, "permission to configure", hasCode(403)},
		{"queue", node.URL(), "absent", `"absent", call Declare`, func(err error) bool { return errors.Is(err, rabbitmq.ErrNoQueue) }},
		{"server", "amqp://guest:tops3cret@127.0.0.1:1/", queue, "connection refused", func(err error) bool { return errors.Is(err, rabbitmq.ErrConnection) }},
		{"escape in the URL", "amqp://guest:tops3cret%zz@127.0.0.1/", queue, "cannot be parsed", func(err error) bool { return errors.Is(err, rabbitmq.ErrConnection) }},
		{"slash in the password", "amqp://guest:tops3cret/x@127.0.0.1/", queue, "cannot be parsed", func(err error) bool { return errors.Is(err, rabbitmq.ErrConnection) }},
		{"hash in the password", "amqp://guest:tops3cret#x@127.0.0.1/", queue, "cannot be parsed", func(err error) bool { return errors.Is(err, rabbitmq.ErrConnection) }},
	} {
		all.Go(func() {
			p := rabbitmq.NewPublisher(dialer(test.url), test.queue)
			defer p.Close()
			handled := p.Handle(t.Context(), delivery("k", "body"))
			if !storesNothing(handled) {
				t.Errorf("%s: the error is no ErrNotStored: %v", test.name, handled)
			}
			for _, err := range []error{handled, p.Ping(t.Context())} {
				if err == nil || !test.is(err) || !strings.Contains(err.Error(), test.text) || strings.Contains(err.Error(), "tops3cret") {
					t.Errorf("%s: %v", test.name, err)
				}
			}
		})
	}
	all.Wait()
	if n := messages(t, node, queue); n != 0 {
		t.Fatalf("the queue has %d messages", n)
	}
}

func TestDialThatBreaksItsContract(t *testing.T) {
	if node == nil {
		return
	}
	queue := declare(t, node, 1)
	for name, dial := range map[string]func(ctx context.Context) (*amqp.Connection, error){
		"no connection and no error": func(ctx context.Context) (*amqp.Connection, error) { return nil, nil },
		"dial panicked":              func(ctx context.Context) (*amqp.Connection, error) { panic("dial") },
		"amqp.Config.Recovery": func(ctx context.Context) (*amqp.Connection, error) {
			return amqp.DialConfig(node.URL(), amqp.Config{Recovery: &amqp.Recovery{}})
		},
	} {
		p := rabbitmq.NewPublisher(dial, queue)
		err := p.Handle(t.Context(), delivery("k", "body"))
		mustNotStore(t, err)
		if !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
		p.Close()
	}
}

func TestDeliveryThatCannotBeEncodedIsPermanent(t *testing.T) {
	if node == nil {
		return
	}
	queue := declare(t, node, 1)
	p := newPublisher(t, node, queue)
	for _, uid := range []string{"", "a\x00b", strings.Repeat("u", 300)} {
		d := delivery("k", "body")
		d.UID = uid
		err := p.Handle(t.Context(), d)
		mustNotStore(t, err)
		if !webhook.IsPermanent(err) {
			t.Errorf("UID %q: %v", uid, err)
		}
	}
	publish(t, p, delivery("k", "")) // a body of 0 bytes
	if n := messages(t, node, queue); n != 1 {
		t.Errorf("the queue has %d messages", n)
	}
}

func TestReturnedMessageIsNotStored(t *testing.T) {
	if node == nil {
		return
	}
	queue := declare(t, node, 1)
	p := newPublisher(t, node, queue)
	publish(t, p, delivery("k", "body"))
	ch, err := connect(t, node).Channel()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ch.QueueDelete(queue, false, false, false); err != nil {
		t.Fatal(err)
	}
	// The connection was checked while the queue was there. The server now returns each
	// message, and confirms it.
	results := make(chan error)
	for range 50 {
		go func() { results <- p.Handle(t.Context(), delivery("k", "body")) }()
	}
	for range 50 {
		err := <-results
		mustNotStore(t, err)
		if !errors.Is(err, rabbitmq.ErrNoQueue) {
			t.Errorf("the error does not say that the queue is missing: %v", err)
		}
	}
	if err := p.Ping(t.Context()); !errors.Is(err, rabbitmq.ErrNoQueue) {
		t.Errorf("Ping: %v", err)
	}
	if err := rabbitmq.Declare(t.Context(), connect(t, node), queue, 1); err != nil {
		t.Fatal(err)
	}
	publish(t, p, delivery("k", "body"))
}

func TestFullQueueRefuses(t *testing.T) {
	if node == nil {
		return
	}
	queue := declare(t, node, 1)
	if _, err := node.Ctl(t.Context(), "set_policy", queue, "^"+queue+"$", `{"max-length":5}`, "--apply-to", "queues"); err != nil {
		t.Fatal(err)
	}
	p := newPublisher(t, node, queue)
	stored := 0
	await(t, "the queue is full", func() bool {
		err := p.Handle(t.Context(), delivery("k", "body"))
		if err == nil {
			stored++
			return false
		}
		mustNotStore(t, err)
		if !strings.Contains(err.Error(), "is full") {
			t.Fatal(err)
		}
		return true
	})
	if n := messages(t, node, queue); n != stored || n < 5 {
		t.Errorf("%d were acknowledged, and the queue has %d", stored, n)
	}
	// Room lets the next one in.
	c := run(t, newConsumer(t, node, queue))
	for range stored {
		settle(t, c, claim(t, c), done)
	}
	await(t, "there is room", func() bool { return p.Handle(t.Context(), delivery("k", "body")) == nil })
}

// withoutDisk makes the node lack disk until the func that it returns is called.
func withoutDisk(t *testing.T) (restore func()) {
	t.Helper()
	set := func(limit, alarms string) {
		if out, err := node.Eval(context.Background(), fmt.Sprintf("rabbit_disk_monitor:set_disk_free_limit(%q).", limit)); err != nil || out != "ok" {
			t.Fatal(out, err)
		}
		await(t, "the alarms are "+alarms, func() bool {
			n, err := node.Eval(context.Background(), "length(rabbit_alarm:get_alarms()).")
			return err == nil && n == alarms
		})
	}
	set("1000000GB", "1")
	return func() { set("10MB", "0") }
}

func TestServerWithoutDiskTakesNothing(t *testing.T) {
	if node == nil {
		return
	}
	p := newPublisher(t, node, declare(t, node, 1))
	publish(t, p, delivery("k", "body"))
	restore := withoutDisk(t)
	defer restore()
	// The first message after the alarm makes the server say so. It has no other answer.
	await(t, "the server says that it lacks disk", func() bool {
		err := p.Handle(t.Context(), delivery("k", "body"))
		if err != nil {
			mustNotStore(t, err)
		}
		return err != nil
	})
	if err := p.Ping(t.Context()); err == nil || !strings.Contains(err.Error(), "takes no messages") {
		t.Errorf("Ping: %v", err)
	}
	if err := p.Handle(t.Context(), delivery("k", "body")); err == nil || !strings.Contains(err.Error(), "takes no messages") {
		t.Errorf("Handle: %v", err)
	}
	restore()
	await(t, "the server takes messages again", func() bool { return p.Handle(t.Context(), delivery("k", "body")) == nil })
}
