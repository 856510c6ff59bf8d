package main

import (
	"context"
	"errors"
	"fmt"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/publish"
	"github.com/hookhouse/hookhouse/webhook/rabbitmq"
	"github.com/hookhouse/hookhouse/webhook/spool"
)

// An eventQueue is what a process has of the way of events through RabbitMQ. With a nil broker
// it is nothing: processes that send take events from the database.
type eventQueue struct {
	runners []webhook.Runner
	ping    func(ctx context.Context) error // of what sending needs
	close   func()
}

// newEventQueue makes events pass through RabbitMQ. A process that serves the pages takes them from
// the database and publishes them to RabbitMQ; one that sends takes them from there. What is sent,
// and when it is tried again, is in the database.
func newEventQueue(cfg *config, store *store, publisher *publish.Publisher) *eventQueue {
	q := &eventQueue{ping: func(context.Context) error { return nil }, close: func() {}}
	if cfg.broker == nil {
		return q
	}
	if !cfg.worker {
		to := rabbitmq.NewPublisher(cfg.broker.dial, cfg.broker.queue)
		q.close = func() { _ = to.Close() }
		relay := spool.NewRelay(store, to)
		relay.Types = []string{publisher.EventType()} // deliveries stay
		q.runners = append(q.runners, relay)
	}
	if !cfg.web {
		from := rabbitmq.NewConsumer(cfg.broker.dial, cfg.broker.queue)
		q.ping = from.Ping
		publisher.Events = from
		q.runners = append(q.runners, from)
	}
	return q
}

// A probe is the store with what else a process needs to do its work.
type probe struct {
	*store
	queue *eventQueue
}

// Ping returns an error if comments cannot be stored, or if the process sends and RabbitMQ is away.
func (p probe) Ping(ctx context.Context) error {
	return errors.Join(p.store.Ping(ctx), p.queue.ping(ctx))
}

// readBroker returns RabbitMQ as -amqp or the variable names it, and nil if there is neither. Its
// errors have no password.
func readBroker(url, queue string, getenv func(string) string) (*broker, error) {
	urls, err := readBrokers(getenv)
	b := &broker{client: "guestbook", setting: brokerName, urls: urls, queue: queue, partitions: 1, declare: "guestbook -declare -queue " + queue}
	switch {
	case err != nil:
		return nil, err
	case url != "" && len(urls) > 0:
		return nil, fmt.Errorf("both -amqp and %s are set; set only one", brokerName)
	case url != "":
		if _, err := amqp.ParseURI(url); err != nil {
			return nil, errors.New("-amqp is not an amqp:// or amqps:// URL")
		}
		b.setting, b.urls = "-amqp", []string{url}
	case len(urls) == 0:
		return nil, nil
	}
	if queue == "" {
		return nil, errors.New("-queue is empty")
	}
	return b, nil
}
