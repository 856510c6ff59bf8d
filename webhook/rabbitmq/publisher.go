package rabbitmq

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/hookhouse/hookhouse/webhook"
)

const (
	defaultChannels = 4
	contentType     = "application/vnd.hookhouse.delivery"
	// publishedHeader is when the message was sent, in microseconds since 1970.
	publishedHeader = "hookhouse-published"
)

var _ webhook.Router = (*Publisher)(nil)

// A Publisher is a [webhook.Handler] that publishes deliveries to a queue. Handle returns nil
// only after a majority of the queue's members has the message on disk. Set the fields
// before use, and do not copy a Publisher. It is safe for concurrent use.
//
// It keeps one connection, which the first Handle or Ping makes. If the connection is lost, all
// who wait for another one share the attempt to connect, and so its error. There is at most one
// attempt in 500 ms. For each connection it calls [Check].
type Publisher struct {
	// Partitions is the number of [Queues] that the deliveries are spread over: those of one
	// Source and ordering key go to the same. Zero means 1.
	Partitions int
	// Channels is the number of channels for each of the queues. Each may have 64 messages
	// without an answer. Zero means 4.
	Channels int
	// MaxMessage is the largest message in bytes that Handle publishes: the encoded delivery,
	// whose size is that of the body, the headers and some hundred bytes. Ping then asks the
	// server whether it takes such a message, by one that goes to no queue. Zero means that
	// only the server decides. Its limit is max_message_size: 128 MiB up to RabbitMQ 3.13, 16 MiB
	// from 4.0 on. See https://www.rabbitmq.com/docs/configure.
	MaxMessage int
	// Logger gets the first refusal of a message for its size. If nil, slog.Default.
	Logger *slog.Logger

	queue     string
	connector connector
	once      sync.Once
	queues    []string
	limit     serverLimit
	logged    atomic.Bool // a refusal for the size
	pings     sharedPing
}

// NewPublisher returns a Publisher to a queue. It panics if dial is nil or queue is empty.
//
// dial connects to a server, in a cluster to any node that is up. It must return when its context
// ends, which is after at most 30 s. It may read credentials again each time. The Publisher owns
// the connection, which must not have [amqp.Config.Recovery].
func NewPublisher(dial func(ctx context.Context) (*amqp.Connection, error), queue string) *Publisher {
	if dial == nil {
		panic("rabbitmq: NewPublisher needs a dial func")
	}
	if queue == "" {
		panic("rabbitmq: NewPublisher needs a queue")
	}
	p := &Publisher{queue: queue}
	p.connector.dial, p.connector.open = dial, p.open
	return p
}

// Types returns nil: a queue takes every type.
func (p *Publisher) Types() []string { return nil }

// init reads the fields.
func (p *Publisher) init() {
	p.once.Do(func() { p.queues = Queues(p.queue, p.Partitions) })
}

func (p *Publisher) open(conn *amqp.Connection) (*link, error) {
	if err := checkQueues(conn, p.queues); err != nil {
		return nil, err
	}
	return newLink(conn, p.queues, max(cmp.Or(p.Channels, defaultChannels), 1))
}

// Handle publishes d. A nil error means that the server has confirmed it: a majority of the
// members of the quorum queue has written and flushed the message. Every other error wraps
// [webhook.ErrNotStored], so that the sender gets 503 and a Spool stores the delivery:
//
//   - If ctx ended, or the connection was lost, before the confirm, the message may be in the
//     queue nevertheless. Its publisher sends it again, and the queue then has two messages
//     with one UID. The inbox behind a Relay stores one.
//   - If the queue is missing, the server returns the message. That counts, although the
//     server confirms it too. The error wraps [ErrNoQueue].
//   - If the queue is full or has no majority, the server rejects the message. After 10 s of nothing
//     else the Publisher connects again, since a channel of RabbitMQ 3.10 can go on to ask a leader
//     that is gone.
//   - While the server is short of memory or disk it takes no messages, and Handle returns
//     at once.
//   - If the message is larger than MaxMessage or than what the server takes, the error wraps
//     [webhook.ErrTooLarge] too. The first such refusal is logged with both sizes. Other
//     deliveries are not affected.
//   - If d cannot be encoded, the error wraps [webhook.ErrMalformed] too and is permanent.
//
// Handle returns when ctx ends, also while the server is frozen or dial hangs.
func (p *Publisher) Handle(ctx context.Context, d *webhook.Delivery) error {
	if err := p.handle(ctx, d); err != nil {
		return fmt.Errorf("%w: %w", webhook.ErrNotStored, err)
	}
	return nil
}

func (p *Publisher) handle(ctx context.Context, d *webhook.Delivery) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	p.init()
	body, err := d.MarshalBinary()
	if err != nil {
		return fmt.Errorf("rabbitmq: %w", err)
	}
	if err := p.refuseSize(ctx, d, len(body)); err != nil {
		return err
	}
	queue := p.queues[partition(d, len(p.queues))]
	for {
		l, err := p.connector.get(ctx)
		if err != nil {
			return err
		}
		if holds(l.conn, queue, d.UID) {
			return fmt.Errorf("rabbitmq: delivery %q is claimed from queue %q of the same server: a Relay must not publish into its own queue", d.UID, queue)
		}
		err = l.channels[queue].publish(ctx, amqp.Publishing{
			Headers:      amqp.Table{publishedHeader: time.Now().UnixMicro()},
			ContentType:  contentType,
			DeliveryMode: amqp.Persistent,
			MessageId:    d.UID,
			Type:         d.Type,
			AppId:        "hookhouse",
			Timestamp:    time.Now(),
			Body:         body,
		})
		if errors.Is(err, errNotSent) {
			continue // with another connection
		}
		if limit, ok := p.limit.learn(err); ok && len(body) > limit {
			return p.tooLarge(ctx, d, len(body), limit)
		}
		return err
	}
}

// Close closes the connection. Handle and Ping then return [ErrClosed], in [webhook.ErrNotStored]
// too for Handle. Messages that are not confirmed may be in the queue. Close does not
// wait. Call it when nothing is received any more.
func (p *Publisher) Close() error {
	p.connector.close()
	return nil
}

func (p *Publisher) logger() *slog.Logger { return cmp.Or(p.Logger, slog.Default()) }
