package rabbitmq

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	amqp "github.com/rabbitmq/amqp091-go"
)

// Declare creates the [Queues] of queue and their dead queues, or compares those that exist. It
// needs the permission to configure them. The error of a queue that exists with other settings
// wraps [ErrSettings] and names the first of them; [Check] names all. Use conn for nothing else
// at the same time.
//
// A queue is a durable quorum queue with these arguments:
//
//	x-queue-type               quorum           a message is confirmed when a majority has flushed it
//	x-single-active-consumer   true             one process gets the messages, so that order is kept
//	x-overflow                 reject-publish   a full queue refuses, and does not drop what it has
//	x-dead-letter-exchange     ""               what the server gives up goes to the dead queue,
//	x-dead-letter-routing-key  <queue>.dead     as after a policy with a limit,
//	x-dead-letter-strategy     at-least-once    and stays until it is there
//	x-delivery-limit           -1               from RabbitMQ 4.0 on, where unset means 20; before, unset
//
// A dead queue is a durable quorum queue with x-overflow and x-delivery-limit. Declare sets no
// maximum length: set one by a policy with max-length or max-length-bytes, so that a queue
// that nobody empties does not fill the disk. Quorum queues are described at
// https://www.rabbitmq.com/docs/quorum-queues.
//
// Declare returns when ctx ends. A call that the server does not answer then ends with conn.
func Declare(ctx context.Context, conn *amqp.Connection, queue string, partitions int) error {
	if err := checkServer(conn); err != nil {
		return err
	}
	return within(ctx, func() error {
		for _, name := range Queues(queue, partitions) {
			// The dead queue is first: no message is in the queue while it is missing.
			for _, declared := range []queueKind{deadQueue(name), workQueue(name)} {
				if ctx.Err() != nil {
					return ctx.Err()
				}
				err := declared.declare(conn, declared.arguments(conn))
				switch {
				case hasCode(err, amqp.PreconditionFailed):
					return fmt.Errorf("%w: queue %q exists: %w", ErrSettings, declared.name, err)
				case err != nil:
					return fmt.Errorf("rabbitmq: queue %q cannot be declared: %w", declared.name, err)
				}
			}
		}
		return nil
	})
}

// A queueKind is a queue or a dead queue.
type queueKind struct {
	name string
	dead bool
}

func workQueue(name string) queueKind { return queueKind{name: name} }
func deadQueue(name string) queueKind { return queueKind{name: DeadQueue(name), dead: true} }

// arguments returns the arguments that q must have.
func (q queueKind) arguments(conn *amqp.Connection) amqp.Table {
	args := amqp.Table{"x-queue-type": "quorum", "x-overflow": "reject-publish"}
	if major, _ := serverVersion(conn); major >= 4 {
		args["x-delivery-limit"] = int64(-1)
	}
	if !q.dead {
		args["x-single-active-consumer"] = true
		args["x-dead-letter-exchange"] = ""
		args["x-dead-letter-routing-key"] = DeadQueue(q.name)
		args["x-dead-letter-strategy"] = "at-least-once"
	}
	return args
}

// declare creates q, or compares its arguments if it exists. Each call has a channel of its
// own, since the server closes that of a refusal.
func (q queueKind) declare(conn *amqp.Connection, args amqp.Table) error {
	ch, err := conn.Channel()
	if err != nil {
		return notConnected(err)
	}
	defer ch.Close()
	_, err = ch.QueueDeclare(q.name, true, false, false, false, args)
	return err
}

// exists returns nil if q exists, with whatever settings.
func (q queueKind) exists(conn *amqp.Connection) error {
	ch, err := conn.Channel()
	if err != nil {
		return notConnected(err)
	}
	defer ch.Close()
	if _, err = ch.QueueDeclarePassive(q.name, true, false, false, false, nil); err != nil {
		return noQueue(q.name, err)
	}
	return nil
}

// checkServer refuses another server than RabbitMQ, which may accept the arguments without
// doing what they say, and a connection that this package cannot rely on.
func checkServer(conn *amqp.Connection) error {
	if product, _ := conn.Properties["product"].(string); product != "RabbitMQ" {
		return fmt.Errorf("%w: the server is %q and must be RabbitMQ", ErrSettings, product)
	}
	if major, minor := serverVersion(conn); major < 3 || major == 3 && minor < 10 {
		return fmt.Errorf("%w: the server is RabbitMQ %v and must be 3.10 or later", ErrSettings, conn.Properties["version"])
	}
	if conn.Config.Recovery != nil {
		// A channel that is opened again behind our back has other delivery tags.
		return fmt.Errorf("%w: the connection has amqp.Config.Recovery and must have none: this package connects again itself", ErrSettings)
	}
	return nil
}

// serverVersion returns the first two numbers of the server's version.
func serverVersion(conn *amqp.Connection) (major, minor int) {
	version, _ := conn.Properties["version"].(string)
	first, rest, _ := strings.Cut(version, ".")
	second, _, _ := strings.Cut(rest, ".")
	major, _ = strconv.Atoi(first) // zero is refused
	minor, _ = strconv.Atoi(second)
	return major, minor
}

// within calls f, which may hang on a server that does not answer, and returns its error, or
// that of ctx when it ends first. f then ends with its connection.
func within(ctx context.Context, f func() error) error {
	done := make(chan error, 1)
	go func() { done <- f() }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}
