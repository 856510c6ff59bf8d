package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/hookhouse/hookhouse/webhook/rabbitmq"
)

// brokerName is the variable with the URLs of RabbitMQ's nodes.
const brokerName = "AMQP_URL"

// brokerTimeout limits one attempt to connect to RabbitMQ and to ask it about the queues.
const brokerTimeout = 10 * time.Second

// A broker is RabbitMQ with the queues of this program.
type broker struct {
	client     string   // the name of the connections
	setting    string   // has the URLs
	urls       []string // of the nodes, with passwords
	queue      string
	partitions int
	declare    string // the command that creates the queues
}

// readBrokers returns the URLs of RabbitMQ's nodes, none if the variable is not set. Its errors have
// no password.
func readBrokers(getenv func(string) string) ([]string, error) {
	urls, err := secretLines(getenv, brokerName)
	for i, url := range urls {
		if _, parseErr := amqp.ParseURI(url); parseErr != nil {
			return nil, fmt.Errorf("%s: line %d of %d is not an amqp:// or amqps:// URL", brokerName, i+1, len(urls))
		}
	}
	return urls, err
}

// dial connects to the first node of RabbitMQ that answers.
func (b *broker) dial(ctx context.Context) (*amqp.Connection, error) {
	properties := amqp.NewConnectionProperties()
	properties.SetClientConnectionName(b.client)
	var errs []error
	for _, url := range b.urls {
		conn, err := amqp.DialConfig(url, amqp.Config{Heartbeat: 10 * time.Second, Properties: properties, Dial: dialer(ctx)})
		if err == nil {
			return conn, nil
		}
		errs = append(errs, err)
	}
	return nil, errors.Join(errs...)
}

// dialer returns a func that connects until ctx ends, or for brokerTimeout.
func dialer(ctx context.Context) func(network, addr string) (net.Conn, error) {
	return func(network, addr string) (net.Conn, error) {
		ctx, cancel := context.WithTimeout(ctx, brokerTimeout)
		defer cancel()
		conn, err := new(net.Dialer).DialContext(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		deadline, _ := ctx.Deadline()
		return conn, conn.SetDeadline(deadline) // package amqp091 ends it when it is connected
	}
}

// connected calls f with a connection of its own.
func (b *broker) connected(ctx context.Context, f func(ctx context.Context, conn *amqp.Connection) error) error {
	ctx, cancel := context.WithTimeout(ctx, brokerTimeout)
	defer cancel()
	conn, err := b.dial(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.CloseDeadline(time.Now().Add(time.Second)) }() // it is closed whatever the error
	return f(ctx, conn)
}

// declareQueues creates the queues in RabbitMQ. It is a step of its own: a process that created
// them at its start would, with a misspelled name, publish to a queue that nobody reads.
func (b *broker) declareQueues(ctx context.Context, log *slog.Logger) error {
	err := b.connected(ctx, func(ctx context.Context, conn *amqp.Connection) error {
		return rabbitmq.Declare(ctx, conn, b.queue, b.partitions)
	})
	if err != nil {
		return b.explain(err)
	}
	for _, queue := range rabbitmq.Queues(b.queue, b.partitions) {
		log.Info("the queue is there", "queue", queue, "dead", rabbitmq.DeadQueue(queue))
	}
	return nil
}

// check returns an error if RabbitMQ cannot be reached, or if a queue is missing or has
// wrong settings.
func (b *broker) check(ctx context.Context) error {
	return b.explain(b.connected(ctx, func(ctx context.Context, conn *amqp.Connection) error {
		return rabbitmq.Check(ctx, conn, b.queue, b.partitions)
	}))
}

// refused returns an error if RabbitMQ refuses what the process is set to do: waiting
// would not help. If RabbitMQ is away, it logs that and returns nil: each part works without it,
// or waits for it.
func (b *broker) refused(ctx context.Context, log *slog.Logger) error {
	err := b.check(ctx)
	if err != nil && !isRefusal(err) {
		log.Warn("RabbitMQ is away; it is tried again until it is there", "reason", err)
		return nil
	}
	return err
}

// isRefusal reports whether an error is RabbitMQ's answer to a wrong setting.
func isRefusal(err error) bool {
	refusal, ok := errors.AsType[*amqp.Error](err)
	return errors.Is(err, rabbitmq.ErrNoQueue) || errors.Is(err, rabbitmq.ErrSettings) ||
		ok && (refusal.Code == amqp.AccessRefused || refusal.Code == amqp.NotAllowed)
}

// explain says which setting an error of RabbitMQ is about.
func (b *broker) explain(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, rabbitmq.ErrNoQueue):
		return &explained{"-queue", "; create the queues: " + b.declare, err}
	case errors.Is(err, rabbitmq.ErrSettings):
		return &explained{"-queue", "; delete the queue when it is empty, and create it: " + b.declare, err}
	}
	return &explained{b.setting, "", err}
}
