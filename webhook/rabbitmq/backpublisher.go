package rabbitmq

import (
	"context"
	"errors"
	"fmt"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// endTimeout limits how long the dead queue may take to confirm a message.
const endTimeout = 20 * time.Second

// The headers of a message in a dead queue, besides those that it had.
const (
	reasonHeader  = "hookhouse-reason"  // why it is there
	queueHeader   = "hookhouse-queue"   // where it was
	deadHeader    = "hookhouse-dead"    // since when, in microseconds since 1970
	attemptHeader = "hookhouse-attempt" // how often it ran; 0 if it was not read
)

// maxHeaders bounds what a message may bring along to the dead queue. Headers and properties
// must fit into one frame, of 128 KiB by default.
const maxHeaders = 32 << 10

// A backPublisher publishes what a Consumer sends back to the server, dead messages and markers, on
// a connection of its own. The server reads nothing from a connection that publishes while it is
// short of memory or disk: on that of the Consumer it would read no acknowledgement either, and
// free nothing.
type backPublisher struct {
	queue     string
	connector connector
}

func newBackPublisher(dial func(ctx context.Context) (*amqp.Connection, error), queue string) *backPublisher {
	p := &backPublisher{queue: queue}
	p.connector.dial = dial
	p.connector.open = func(conn *amqp.Connection) (*link, error) {
		if err := checkServer(conn); err != nil {
			return nil, err
		}
		return newLink(conn, []string{DeadQueue(queue), queue}, 1)
	}
	return p
}

// bury publishes a message to the dead queue, and returns nil when that has it.
func (p *backPublisher) bury(m *amqp.Delivery, why string, attempt int) error {
	ctx, cancel := context.WithTimeout(context.Background(), endTimeout)
	defer cancel()
	msg := amqp.Publishing{
		Headers: p.headers(m, why, attempt), ContentType: m.ContentType, ContentEncoding: m.ContentEncoding, DeliveryMode: amqp.Persistent,
		MessageId: m.MessageId, Timestamp: m.Timestamp, Type: m.Type, AppId: m.AppId, Body: m.Body,
	}
	if err := p.send(ctx, DeadQueue(p.queue), msg); err != nil {
		return fmt.Errorf("rabbitmq: dead queue: %w", err)
	}
	return nil
}

// send publishes a message to one of the queues, and returns nil when that has it.
func (p *backPublisher) send(ctx context.Context, queue string, msg amqp.Publishing) error {
	for {
		l, err := p.connector.get(ctx)
		if err == nil {
			err = l.channels[queue].publish(ctx, msg)
		}
		if !errors.Is(err, errNotSent) { // or with another connection
			return err
		}
	}
}

// headers returns those of m with ours.
func (p *backPublisher) headers(m *amqp.Delivery, why string, attempt int) amqp.Table {
	headers := amqp.Table{}
	if len(fmt.Sprint(m.Headers)) <= maxHeaders {
		for name, value := range m.Headers {
			headers[name] = value
		}
	}
	// By these the server would put copies into other queues, and also into the one that m is from.
	delete(headers, "CC")
	delete(headers, "BCC")
	headers[reasonHeader] = clip(why, 4<<10)
	headers[queueHeader] = p.queue
	headers[deadHeader] = time.Now().UnixMicro()
	headers[attemptHeader] = int64(attempt)
	return headers
}

func (p *backPublisher) close() { p.connector.close() }

// clip returns the first n bytes of s at most.
func clip(s string, n int) string { return s[:min(len(s), n)] }
