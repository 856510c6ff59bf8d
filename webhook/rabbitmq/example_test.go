package rabbitmq_test

import (
	"context"
	"fmt"
	"log"
	"net"
	"net/http"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/rabbitmq"
	"github.com/hookhouse/hookhouse/webhook/spool"
)

// The edge publishes. It stores on its own disk while the broker is away. Another program, inside,
// puts what is in the queue into the inbox.
func Example() {
	var (
		ctx      context.Context
		source   webhook.Source
		local    webhook.Inbox // package sqlinbox on SQLite
		database webhook.Inbox // package sqlinbox on PostgreSQL
		brokers  = []string{"amqps://edge:secret@rabbit1/", "amqps://edge:secret@rabbit2/"}
	)
	dial := func(ctx context.Context) (conn *amqp.Connection, err error) {
		for _, url := range brokers {
			conn, err = amqp.DialConfig(url, amqp.Config{Heartbeat: 10 * time.Second, Dial: func(network, addr string) (net.Conn, error) {
				tcp, err := (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, network, addr)
				if err != nil {
					return nil, err
				}
				return tcp, tcp.SetDeadline(time.Now().Add(5 * time.Second)) // of the handshake
			}})
			if err == nil {
				break
			}
		}
		return conn, err
	}

	// At the edge.
	publisher := rabbitmq.NewPublisher(dial, "hooks")
	buffer := spool.New(publisher, local)
	go buffer.Run(ctx)
	http.Handle("/hooks/github", webhook.NewReceiver(source, buffer))

	// Inside.
	consumer := rabbitmq.NewConsumer(dial, "hooks")
	consumer.Immediate = true // NotBefore and Coalesce are the inbox's
	go consumer.Run(ctx)
	if err := spool.NewRelay(consumer, webhook.Store(database)).Run(ctx); err != nil {
		log.Print(err)
	}
}

// Declare is called once, by a program that may configure queues.
func ExampleDeclare() {
	conn, err := amqp.Dial("amqps://admin:secret@rabbit1/")
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	if err := rabbitmq.Declare(context.Background(), conn, "hooks", 1); err != nil {
		log.Fatal(err)
	}
}

// With partitions, several processes share the work. Each queue has one active Consumer.
func ExampleQueues() {
	var (
		ctx      context.Context
		dial     func(ctx context.Context) (*amqp.Connection, error)
		database webhook.Inbox
	)
	publisher := rabbitmq.NewPublisher(dial, "hooks")
	publisher.Partitions = 4
	for _, queue := range rabbitmq.Queues("hooks", 4) {
		consumer := rabbitmq.NewConsumer(dial, queue)
		consumer.Immediate = true
		go consumer.Run(ctx)
		go spool.NewRelay(consumer, webhook.Store(database)).Run(ctx)
	}
}

// Each queue has a dead queue.
func ExampleDeadQueue() {
	for _, queue := range rabbitmq.Queues("hooks", 4) {
		fmt.Println(queue, rabbitmq.DeadQueue(queue))
	}
	// Output:
	// hooks.1-of-4 hooks.1-of-4.dead
	// hooks.2-of-4 hooks.2-of-4.dead
	// hooks.3-of-4 hooks.3-of-4.dead
	// hooks.4-of-4 hooks.4-of-4.dead
}
