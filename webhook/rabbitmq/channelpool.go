package rabbitmq

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

const (
	// inFlight is how many messages one channel may have without an answer.
	inFlight = 64
	// rejectTimeout is how long a channel may have every message rejected. Then another connection
	// is made. That of a full queue does as well as the one before. But a channel of RabbitMQ 3.10 that
	// was first used while the leader of the queue was down keeps asking that node.
	rejectTimeout = 10 * time.Second
)

// A channelPool has the channels on which a queue is published to. free has each channel as
// often as it may take another message.
type channelPool struct {
	link  *link
	queue string
	free  chan *channel
}

// A channel publishes with confirms.
type channel struct {
	ch *amqp.Channel
	id atomic.Uint64 // of the last message

	mu       sync.Mutex
	returns  <-chan amqp.Return // has room for all messages in flight
	returned map[string]string  // by id: why the server returned the message
	closes   <-chan *amqp.Error
	closed   error
	rejected time.Time // since when each message is rejected; zero: the last one was not
}

func newChannelPool(l *link, queue string, n int) (*channelPool, error) {
	p := &channelPool{link: l, queue: queue, free: make(chan *channel, n*inFlight)}
	var opened []*channel
	for range n {
		ch, err := l.conn.Channel()
		if err != nil {
			return nil, notConnected(err)
		}
		c := &channel{ch: ch, returned: make(map[string]string)}
		c.returns = ch.NotifyReturn(make(chan amqp.Return, inFlight))
		c.closes = ch.NotifyClose(make(chan *amqp.Error, 1))
		if err := ch.Confirm(false); err != nil {
			return nil, notConnected(err)
		}
		opened = append(opened, c)
	}
	for range inFlight {
		for _, c := range opened {
			p.free <- c
		}
	}
	return p, nil
}

// errNotSent: the message was not sent, since the connection takes no more. Another one does.
var errNotSent = errors.New("rabbitmq: the connection takes no more messages")

// publish sends a message and returns nil when the server has confirmed that the queue has it.
// It returns when ctx ends, the link goes down or the server reads nothing. The message may then be stored or not.
func (p *channelPool) publish(ctx context.Context, msg amqp.Publishing) error {
	blocked := p.link.blockedSignal()
	select {
	case <-blocked:
		return p.link.blockedError()
	default:
	}
	var c *channel
	select {
	case c = <-p.free:
	case <-blocked:
		return p.link.blockedError()
	case <-ctx.Done():
		return fmt.Errorf("rabbitmq: %d messages are without an answer of the server: %w", cap(p.free), ctx.Err())
	case <-p.link.down:
		return errNotSent
	}
	if err := ctx.Err(); err != nil {
		p.free <- c
		return err
	}
	// Sending blocks while the server does not read, without regard to a context. The
	// goroutine ends with the answer or the connection. There are at most cap(p.free).
	result := make(chan error, 1)
	if !p.link.begin() {
		p.free <- c
		return errNotSent
	}
	go func() {
		err := c.send(p.queue, msg)
		if c.ch.IsClosed() {
			p.link.retire(c.lost(amqp.ErrClosed))
		} else if c.rejectsAll() {
			p.link.retire(err)
		}
		p.link.answered()
		p.free <- c
		result <- err
	}()
	select {
	case err := <-result:
		return err
	case <-ctx.Done():
		return fmt.Errorf("rabbitmq: the server has not confirmed the message: %w", ctx.Err())
	case <-blocked:
		return p.link.blockedError()
	case <-p.link.down:
		select {
		case err := <-result:
			return err
		default:
			return p.link.downError()
		}
	}
}

// send publishes a message and waits for the answer.
func (c *channel) send(queue string, msg amqp.Publishing) error {
	msg.CorrelationId = strconv.FormatUint(c.id.Add(1), 10)
	confirmation, err := c.ch.PublishWithDeferredConfirm("", queue, true, false, msg)
	if err != nil {
		return c.lost(err)
	}
	<-confirmation.Done()
	if text, ok := c.wasReturned(msg.CorrelationId); ok {
		return noQueue(queue, &amqp.Error{Code: amqp.NotFound, Reason: "returned: " + text, Server: true})
	}
	switch {
	case confirmation.Acked():
		c.answer(false)
		return nil
	case c.ch.IsClosed():
		return c.lost(amqp.ErrClosed)
	default:
		c.answer(true)
		return fmt.Errorf("rabbitmq: queue %q rejected the message: it is full, or a majority of its members is away", queue)
	}
}

// wasReturned reports whether the server has returned a message that it has also answered. It
// sends the return first, so it is in the channel now.
func (c *channel) wasReturned(id string) (text string, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for more := true; more; {
		select {
		case r, open := <-c.returns:
			if more = open; open {
				c.returned[r.CorrelationId] = r.ReplyText
			}
		default:
			more = false
		}
	}
	text, ok = c.returned[id]
	delete(c.returned, id)
	return text, ok
}

// answer notes whether the server has rejected a message or taken it.
func (c *channel) answer(rejected bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case !rejected:
		c.rejected = time.Time{}
	case c.rejected.IsZero():
		c.rejected = time.Now()
	}
}

// rejectsAll reports whether the server has rejected each message for rejectTimeout.
func (c *channel) rejectsAll() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.rejected.IsZero() && time.Since(c.rejected) >= rejectTimeout
}

// lost returns why the server closed the channel, or err if it has not said.
func (c *channel) lost(err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case refusal := <-c.closes:
		if refusal != nil {
			c.closed = refusal
		}
	default:
	}
	return fmt.Errorf("rabbitmq: the channel was closed: %w", errors.Join(c.closed, err))
}
