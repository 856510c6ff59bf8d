package publish_test

import (
	"context"
	"fmt"
	"net/http"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/publish"
	"github.com/hookhouse/hookhouse/webhook/spool"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// Events pass a queue between the processes that publish and those that send. Here it is a
// MemInbox. With RabbitMQ, the Relay gets a rabbitmq.Publisher in place of Store, and Events is a
// rabbitmq.Consumer, which has to be run too.
func ExamplePublisher_events() {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	received := make(chan string)
	outbox, queue := &webhook.MemInbox{}, &webhook.MemInbox{}
	pub := publish.New(outbox, &publish.MemStore{})
	pub.Transport = webhooktest.InMemory(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		received <- r.Header.Get("Webhook-Type")
	}))

	// Where events are published: they are committed to the outbox, and go to the queue from there.
	relay := spool.NewRelay(outbox, webhook.Store(queue))
	relay.Types = []string{pub.EventType()}
	go func() { _ = relay.Run(ctx) }()

	// Where they are sent: deliveries and retries are in the outbox.
	pub.Events = queue
	go func() { _ = pub.Run(ctx) }()

	if _, err := pub.Create(ctx, publish.Endpoint{URL: "https://shop.example/hooks", Events: []string{"*"}}); err != nil {
		fmt.Println(err)
		return
	}
	if _, err := pub.Publish(ctx, publish.Event{Type: "comment.created", Payload: "hello"}); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(<-received)
	// Output: comment.created
}
