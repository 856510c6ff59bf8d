package env

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/hookhouse/hookhouse/internal/broker"
	"github.com/hookhouse/hookhouse/webhook/rabbitmq"
)

// RabbitMQ is a quorum queue of one node.
const RabbitMQ Backend = "RabbitMQ"

// A Queue is where a store of RabbitMQ is.
type Queue struct{ URL, Name string }

// QueueOf returns the queue that [Env.Make] made.
func QueueOf(at string) Queue {
	server, name, _ := strings.Cut(at, "#")
	return Queue{server, name}
}

// Dial connects to the server.
func (q Queue) Dial(context.Context) (*amqp.Connection, error) { return amqp.Dial(q.URL) }

// Count returns how many messages wait in the queue.
func (q Queue) Count(ctx context.Context) (n int, err error) {
	err = q.Do(ctx, func(ch *amqp.Channel) error {
		state, err := ch.QueueDeclarePassive(q.Name, true, false, false, false, nil)
		n = state.Messages
		return err
	})
	return n, err
}

// Do calls f with a channel of its own.
func (q Queue) Do(ctx context.Context, f func(*amqp.Channel) error) (err error) {
	conn, err := q.Dial(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	ch, err := conn.Channel()
	if err != nil {
		return err
	}
	return f(ch)
}

// startBroker starts the node when the first queue is made: other commands do not need it.
func (e *Env) startBroker(ctx context.Context) error {
	if e.broker != nil {
		return nil
	}
	var err error
	e.broker, err = broker.Start(ctx, 1)
	return err
}

// hasBroker reports whether RabbitMQ is installed, and says once if it is not. In CI it must
// be: there the run fails at its first queue.
func (e *Env) hasBroker() bool {
	err := e.startBroker(context.Background())
	if err == nil || os.Getenv("CI") == "true" {
		return true
	}
	if !e.noBroker {
		e.noBroker = true
		fmt.Fprintln(os.Stderr, "left out:", err)
	}
	return false
}

// BrokerFolder returns the folder with all that the node stores. There must be a queue.
func (e *Env) BrokerFolder() string { return e.broker.Node(0).Folder() }

func (e *Env) makeQueue(ctx context.Context) (at string, remove func() error, err error) {
	if err := e.startBroker(ctx); err != nil {
		return "", nil, err
	}
	q := Queue{e.broker.Node(0).URL(), fmt.Sprintf("bench%d", e.made)}
	conn, err := q.Dial(ctx)
	if err != nil {
		return "", nil, err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	if err := rabbitmq.Declare(ctx, conn, q.Name, 1); err != nil {
		return "", nil, err
	}
	remove = func() error {
		return q.Do(context.WithoutCancel(ctx), func(ch *amqp.Channel) error {
			_, err := ch.QueueDelete(q.Name, false, false, false)
			_, dead := ch.QueueDelete(rabbitmq.DeadQueue(q.Name), false, false, false)
			return errors.Join(err, dead)
		})
	}
	return q.URL + "#" + q.Name, remove, nil
}
