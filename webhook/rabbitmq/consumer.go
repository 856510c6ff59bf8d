package rabbitmq

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/hookhouse/hookhouse/webhook"
)

const (
	defaultPrefetch        = 256
	maxPrefetch            = 65535 // of AMQP
	defaultMaxBytes        = 64 << 20
	defaultMaxMessage      = 256 << 10
	defaultShutdownTimeout = 10 * time.Second
	firstRetry             = 250 * time.Millisecond
	maxRetry               = 10 * time.Second
)

var (
	_ webhook.Queue    = (*Consumer)(nil)
	_ webhook.NextDuer = (*Consumer)(nil)
)

// A Consumer is a [webhook.Queue] of the deliveries in a queue. Run gets them from the server and
// keeps them in memory until they end; the server keeps them too. Set the fields before
// Run, and do not copy a Consumer. It is safe for concurrent use.
//
//   - A delivery that ends Done, Ignored or Superseded is acknowledged to the server. One that
//     ends Dead is published to the dead queue first, with the reason, and acknowledged when
//     that is confirmed.
//   - Retries, leases, delays and bursts are kept by this process. When the connection is lost,
//     or the process ends, its claims are lost, and the server gives out again what was not
//     acknowledged: with Attempt 1, to whichever Consumer of the queue is active then. What comes
//     again is sorted by the time at which it was published, and then by UID, before it is claimed.
//     To see when all of it has come, the Consumer may publish an empty message to the queue, a
//     marker, whose content type is application/vnd.hookhouse.marker. Consumers acknowledge it;
//     so must other programs that read the queue.
//   - Several Consumers of one queue, in any processes, are one active and the others waiting for it
//     to end. So order is kept. For more throughput use partitions.
//   - A message that is not an encoded delivery, or is of a newer version, goes to the dead queue
//     as it is, with the reason, but without the headers CC and BCC, which would send it elsewhere
//     too.
//   - DedupKeys refuse nothing here: the inbox behind a Relay decides what is a duplicate. A
//     second message with the UID of one that is held waits until that one has ended.
//   - [webhook.Claim.Fence] grows from one connection to the next by this machine's clock.
type Consumer struct {
	// Prefetch is the number of messages that the server gives out before they end. A delivery
	// that waits, for its NotBefore or a retry, is one of them. After a Consumer with a larger
	// Prefetch has lost its messages, the next one gets as many until they have come again, so
	// that it can sort them. Zero means 256.
	Prefetch int
	// MaxBytes bounds the size of the messages that are held: the Consumer gets at most
	// MaxBytes divided by MaxMessage at once, but at least one. AMQP has no bound for bytes.
	// A Consumer that holds more, because of larger messages, logs it. Zero means 64 MiB.
	MaxBytes int64
	// MaxMessage is the size in bytes that messages are expected to have at most, as
	// [Publisher.MaxMessage]. Zero means 256 KiB.
	MaxMessage int
	// Immediate makes deliveries due at once: NotBefore and Coalesce are left to the inbox that a
	// Relay puts them into. Otherwise they hold here, and for Coalesce there again.
	Immediate bool
	// ShutdownTimeout is how long Run waits for claims to be settled when its context has
	// ended. Zero means 10 s.
	ShutdownTimeout time.Duration
	// Logger gets lost connections and messages that go to the dead queue unread. If nil,
	// slog.Default.
	Logger *slog.Logger

	queue string
	dial  func(ctx context.Context) (*amqp.Connection, error)

	mu      sync.Mutex
	running bool
	session *session // nil while there is no connection
	failed  error    // why there is none
	changed chan struct{}
	fence   int64 // of the last message
	ended   endedClaims
}

// NewConsumer returns a Consumer of a queue, one of [Queues]. It panics if dial is nil or queue is
// empty. For dial see [NewPublisher]; each Consumer has a connection of its own, and from the first
// dead delivery or marker on another one, from which it publishes: while the server lacks memory or
// disk it reads nothing from that one, and still reads the acknowledgements.
func NewConsumer(dial func(ctx context.Context) (*amqp.Connection, error), queue string) *Consumer {
	if dial == nil {
		panic("rabbitmq: NewConsumer needs a dial func")
	}
	if queue == "" {
		panic("rabbitmq: NewConsumer needs a queue")
	}
	return &Consumer{queue: queue, dial: dial}
}

// Run gets messages until ctx ends. It connects again after each failure, also while the
// queue is missing or has wrong settings; failures are logged. When ctx ends, nothing more is
// claimed, Run waits ShutdownTimeout at most until the claims are settled, and returns nil. What
// is left comes again elsewhere. Before that it returns only [webhook.ErrRunning], if another call
// is running.
func (c *Consumer) Run(ctx context.Context) error {
	c.mu.Lock()
	if c.running {
		c.mu.Unlock()
		return webhook.ErrRunning
	}
	c.running = true
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.running, c.failed = false, errNotRunning
	}()
	links := &connector{dial: c.dial, open: func(conn *amqp.Connection) (*link, error) {
		if err := checkQueues(conn, []string{c.queue}); err != nil {
			return nil, err
		}
		return newLink(conn, nil, 0)
	}}
	defer links.close()
	back := newBackPublisher(c.dial, c.queue)
	defer back.close()
	prefetch, more := c.usualPrefetch(), 0
	for retry := firstRetry; ctx.Err() == nil; {
		started := time.Now()
		err := c.consume(ctx, links, back, min(prefetch+more, maxPrefetch))
		if ctx.Err() != nil {
			break
		}
		if errors.Is(err, errMore) {
			if more == 0 {
				more = 1 // the one before had as many, usually: the next message shows that these were all
			} else {
				more += prefetch + more
			}
			continue
		}
		more = 0
		if time.Since(started) > time.Minute {
			retry = firstRetry
		}
		c.logger().LogAttrs(ctx, slog.LevelError, "consumer is not connected and tries again", slog.String("queue", c.queue), slog.String("reason", err.Error()))
		timer := time.NewTimer(retry)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
		}
		retry = min(retry*2, maxRetry)
	}
	return nil
}

// consume connects and gets messages until ctx or the connection ends.
func (c *Consumer) consume(ctx context.Context, links *connector, back *backPublisher, prefetch int) error {
	l, err := links.get(ctx)
	if err != nil {
		c.setSession(nil, err)
		return err
	}
	s := newSession(c, l, back, prefetch)
	if err := s.consume(ctx); err != nil {
		l.fail(err)
		c.setSession(nil, err)
		return err
	}
	c.setSession(s, nil)
	err = s.run(ctx)
	if errors.Is(err, errMore) {
		c.setSession(nil, err)
		if closeErr := s.close(ctx); closeErr != nil {
			l.fail(closeErr)
		}
		return err // the next session uses the connection
	}
	l.fail(err)
	c.setSession(nil, err)
	return err
}

// setSession replaces the session. The claims of the one before are lost.
func (c *Consumer) setSession(s *session, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.session != nil {
		c.session.end()
	}
	c.session, c.failed = s, err
	c.notify()
}

// Ping returns nil if the Consumer is connected, active or waiting to become it. Otherwise it
// returns why it is not.
func (c *Consumer) Ping(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.session != nil:
		return nil
	case c.failed != nil:
		return c.failed
	case c.running:
		return fmt.Errorf("%w: the first connection is being made", ErrConnection)
	default:
		return errNotRunning
	}
}

var (
	errNotRunning = errors.New("rabbitmq: Run of the Consumer is not running")
	// errMore: the session gets too few messages at once to sort those that come again.
	errMore = errors.New("rabbitmq: more messages come again than one session gets")
)

// Changed implements [webhook.Notifier].
func (c *Consumer) Changed() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.changed == nil {
		c.changed = make(chan struct{})
	}
	return c.changed
}

// notify signals a change. The caller holds c.mu.
func (c *Consumer) notify() {
	if c.changed != nil {
		close(c.changed)
		c.changed = nil
	}
}

// usualPrefetch returns how many messages a session gets if it has nothing to sort.
func (c *Consumer) usualPrefetch() int {
	n := max(cmp.Or(c.Prefetch, defaultPrefetch), 1)
	size := max(cmp.Or(c.MaxMessage, defaultMaxMessage), 1)
	return max(min(n, int(min(c.maxBytes()/int64(size), maxPrefetch))), 1)
}

func (c *Consumer) maxBytes() int64 {
	if c.MaxBytes <= 0 {
		return defaultMaxBytes
	}
	return c.MaxBytes
}

func (c *Consumer) logger() *slog.Logger { return cmp.Or(c.Logger, slog.Default()) }
