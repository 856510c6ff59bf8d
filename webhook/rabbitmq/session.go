package rabbitmq

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/hookhouse/hookhouse/webhook"
)

// A session is a Consumer's use of one connection. Its fields are guarded by the mutex of the
// Consumer, but those above the blank line, which do not change.
type session struct {
	c        *Consumer
	link     *link
	back     *backPublisher
	ch       *amqp.Channel
	messages <-chan amqp.Delivery
	prefetch int

	memory   *webhook.MemInbox
	held     map[string]*held   // by UID
	waiting  map[string][]*held // by lane: messages that wait until one with their UID has ended
	buried   int                // messages that go to the dead queue unread
	bytes    int64              // of all messages not acknowledged
	claims   int                // not settled
	warned   bool               // of bytes
	draining bool               // nothing more is claimed
	over     bool
	drained  chan struct{} // has an element when claims may have become zero
}

// newSession returns a session that holds nothing.
func newSession(c *Consumer, l *link, back *backPublisher, prefetch int) *session {
	return &session{
		c: c, link: l, back: back, prefetch: prefetch,
		held: make(map[string]*held), waiting: make(map[string][]*held), drained: make(chan struct{}, 1),
		// Finished deliveries are deleted at once: the server's acknowledgement is what counts.
		memory: &webhook.MemInbox{MaxDeliveries: 1 << 30, MaxBytes: 1 << 60, Retention: 1, DeadRetention: 1, Logger: slog.New(slog.DiscardHandler)},
	}
}

// consume begins to get messages. Until ctx ends it waits for the server.
func (s *session) consume(ctx context.Context) error {
	wait, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	return within(wait, func() (err error) {
		if s.ch, err = s.link.conn.Channel(); err != nil {
			return notConnected(err)
		}
		if err = s.ch.Qos(s.prefetch, 0, false); err != nil {
			return notConnected(err)
		}
		if s.messages, err = s.ch.Consume(s.c.queue, "", false, false, false, false, nil); err != nil {
			return noQueue(s.c.queue, err)
		}
		return nil
	})
}

// close gives the messages back, and keeps the connection.
func (s *session) close(ctx context.Context) error {
	wait, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	return within(wait, s.ch.Close)
}

// run takes messages until the connection ends. When ctx ends it first lets the claims be
// settled.
func (s *session) run(ctx context.Context) error {
	returned := sorter{s: s, mark: s.back.mark}
	tick := time.NewTicker(idleCheck)
	defer tick.Stop()
	for {
		select {
		case m, ok := <-s.messages:
			if !ok {
				return s.lost()
			}
			s.take(&m, &returned)
		case <-tick.C:
			if err := returned.check(ctx); err != nil && ctx.Err() == nil {
				return err
			}
		case <-s.link.down:
			return s.link.downError()
		case <-ctx.Done():
			s.drain(context.WithoutCancel(ctx), s.c.shutdownTimeout())
			return ctx.Err()
		}
	}
}

// lost returns why the server gives no more messages.
func (s *session) lost() error {
	if s.link.usable() && !s.ch.IsClosed() {
		return fmt.Errorf("%w: the server has cancelled the consumer of queue %q, which may have been deleted", ErrConnection, s.c.queue)
	}
	if err := s.link.downError(); err != nil {
		return err
	}
	return fmt.Errorf("%w: the channel was closed", ErrConnection)
}

// take takes a message: into memory, into the sorter, or to the dead queue.
func (s *session) take(m *amqp.Delivery, returned *sorter) {
	if m.ContentType == markerContentType {
		s.takeMarker(m, returned)
		return
	}
	h, err := read(m)
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	s.bytes += int64(len(m.Body))
	s.checkSize()
	if err != nil {
		s.bury(m, err)
		return
	}
	if m.Redelivered {
		returned.add(h)
		return
	}
	returned.flush()
	s.put(h)
}

// put makes a message claimable. One with the UID of a message that is held waits until that has
// ended, and so do those behind it of its ordering key: it must not overtake them later. The caller
// holds c.mu.
func (s *session) put(h *held) {
	lane := h.lane()
	switch second := s.held[h.d.UID] != nil; {
	case second && len(s.waiting[lane]) == 0:
		s.c.logger().Warn("a message has the UID of one that is held, and waits for it: an answer to its publisher was lost, or something publishes what it claims",
			"queue", s.c.queue, "uid", h.d.UID)
		fallthrough
	case second, len(s.waiting[lane]) > 0:
		s.waiting[lane] = append(s.waiting[lane], h)
	default:
		s.hold(h)
	}
}

// holdWaiting makes the messages claimable that need not wait any more. The caller holds c.mu.
func (s *session) holdWaiting() {
	for lane, waiting := range s.waiting {
		for len(waiting) > 0 && s.held[waiting[0].d.UID] == nil {
			s.hold(waiting[0])
			waiting = waiting[1:]
		}
		if s.waiting[lane] = waiting; len(waiting) == 0 {
			delete(s.waiting, lane)
		}
	}
}

// fencesPerMessage is how far the fences of one message are from those of the next.
const fencesPerMessage = 1 << 10

// hold puts a message into memory. The caller holds c.mu.
func (s *session) hold(h *held) {
	s.c.fence = max(s.c.fence+fencesPerMessage, time.Now().UnixMicro()*fencesPerMessage)
	h.fence = s.c.fence
	uid := h.d.UID
	d := *h.d
	d.DedupKeys = nil
	if s.c.Immediate {
		d.Coalesce, d.NotBefore = webhook.Coalesce{}, time.Time{}
	}
	s.held[uid] = h
	if err := s.memory.Put(context.Background(), &d); err != nil {
		// UnmarshalBinary refuses what Put refuses.
		delete(s.held, uid)
		raw, encodeErr := h.d.MarshalBinary()
		s.bury(&amqp.Delivery{Body: raw, DeliveryTag: h.tag, ContentType: contentType, MessageId: uid, Type: h.d.Type}, errors.Join(err, encodeErr))
		return
	}
	if d.Coalesce != (webhook.Coalesce{}) {
		s.endSuperseded(func(old *held) bool { return old != h && old.sameBurst(h.d) })
	}
	s.c.notify()
}

// endSuperseded acknowledges those of the held messages that a newer one has replaced.
// The caller holds c.mu.
func (s *session) endSuperseded(consider func(h *held) bool) {
	for uid, h := range s.held {
		if h.ending != nil || !consider(h) {
			continue
		}
		if rec, err := s.memory.Get(context.Background(), uid); err == nil && rec.State == webhook.Superseded {
			if h.claimed {
				s.unclaim(h)
			}
			s.begin(h, webhook.Claim{}, webhook.Outcome{State: webhook.Superseded})
		}
	}
}

// checkSize warns once that the messages held are larger than MaxBytes. The caller holds c.mu.
func (s *session) checkSize() {
	if limit := s.c.maxBytes(); s.bytes > limit && !s.warned {
		s.warned = true
		s.c.logger().Warn("the messages held are larger than MaxBytes: set MaxMessage of the consumer, so that it gets fewer at once",
			"queue", s.c.queue, "bytes", s.bytes, "max_bytes", limit, "prefetch", s.prefetch)
	}
}

// drain waits until nothing is claimed.
func (s *session) drain(ctx context.Context, timeout time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	s.c.mu.Lock()
	s.draining = true
	s.c.mu.Unlock()
	for {
		s.c.mu.Lock()
		claims := s.claims
		s.c.mu.Unlock()
		if claims == 0 {
			return
		}
		select {
		case <-s.drained:
		case <-s.link.down:
			return
		case <-ctx.Done():
			return
		}
	}
}

// end makes all claims lost. The caller holds c.mu.
func (s *session) end() {
	s.over = true
	for uid, h := range s.held {
		if h.claimed {
			addOrigin(originOf(s.link.conn, s.c.queue, uid), -1)
		}
	}
}

func (c *Consumer) shutdownTimeout() time.Duration {
	if c.ShutdownTimeout <= 0 {
		return defaultShutdownTimeout
	}
	return c.ShutdownTimeout
}
