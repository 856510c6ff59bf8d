package rabbitmq

import (
	"context"
	"fmt"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/hookhouse/hookhouse/webhook"
)

// An ending is the end of a delivery on its way to the server. state and err are set when done is
// closed.
type ending struct {
	fence int64 // of the claim that ends it
	done  chan struct{}
	state webhook.State
	err   error
}

// begin sends the end of a held message to the server, in the background, and then to memory. If
// that fails the message remains as it is. There is at most one ending for each message. The
// caller holds c.mu.
func (s *session) begin(h *held, claim webhook.Claim, o webhook.Outcome) *ending {
	e := &ending{fence: claim.Fence, done: make(chan struct{})}
	h.ending = e
	go func() {
		err := s.send(h, claim, o)
		s.c.mu.Lock()
		defer s.c.mu.Unlock()
		defer close(e.done)
		h.ending = nil
		switch {
		case err == nil && !s.over:
			e.state, e.err = s.finish(h, claim, o)
		case s.over || !s.link.usable() || s.ch.IsClosed():
			e.err = fmt.Errorf("%w: %q, with the connection", webhook.ErrClaimLost, h.d.UID)
		default:
			e.err = err
		}
		s.c.notify()
	}()
	return e
}

// send tells the server. For a dead delivery the dead queue has it first.
func (s *session) send(h *held, claim webhook.Claim, o webhook.Outcome) error {
	if o.State == webhook.Dead {
		raw, err := h.d.MarshalBinary()
		if err != nil {
			return fmt.Errorf("rabbitmq: %w", err)
		}
		m := amqp.Delivery{Body: raw, ContentType: contentType, MessageId: h.d.UID, Type: h.d.Type, AppId: "hookhouse"}
		if err := s.back.bury(&m, o.Reason, claim.Attempt); err != nil {
			return err
		}
	}
	return s.ack(h.tag)
}

// ack acknowledges a message. The server does not answer. If it does not read either, the link
// is given up after a while.
func (s *session) ack(tag uint64) error {
	if !s.link.begin() {
		return errNotSent
	}
	defer s.link.answered()
	if err := s.ch.Ack(tag, false); err != nil {
		return notConnected(err)
	}
	return nil
}

// finish ends a message in memory. The caller holds c.mu.
func (s *session) finish(h *held, claim webhook.Claim, o webhook.Outcome) (webhook.State, error) {
	ctx, uid := context.Background(), h.d.UID
	state := webhook.Superseded
	if o.State != webhook.Superseded {
		inner := claim
		inner.Fence -= h.fence
		var err error
		if state, err = s.memory.Settle(ctx, inner, o); err != nil {
			return "", err
		}
		s.c.ended.add(uid, claim.Fence, state)
		s.unclaim(h)
	}
	s.forget(uid)
	delete(s.held, uid)
	s.bytes -= h.size
	s.holdWaiting()
	return state, nil
}

// forget deletes a finished message from memory, which may then get another one with its UID.
func (s *session) forget(uid string) {
	for {
		// Sweep deletes what finished before the present nanosecond.
		_, sweepErr := s.memory.Sweep(context.Background())
		if _, err := s.memory.Get(context.Background(), uid); err != nil || sweepErr != nil {
			return
		}
	}
}

// unclaim notes that a claim has ended. The caller holds c.mu.
func (s *session) unclaim(h *held) {
	if !h.claimed {
		return
	}
	h.claimed = false
	addOrigin(originOf(s.link.conn, s.c.queue, h.d.UID), -1)
	if s.claims--; s.claims == 0 {
		select {
		case s.drained <- struct{}{}:
		default:
		}
	}
}

// bury moves a message that cannot be read to the dead queue, in the background, and tries until
// it is there. The caller holds c.mu.
func (s *session) bury(m *amqp.Delivery, why error) {
	s.buried++
	s.c.logger().Warn("a message is not a delivery that this version reads, and goes to the dead queue", "queue", s.c.queue, "reason", why, "message_id", clip(m.MessageId, 255))
	go func() {
		for retry := firstRetry; ; retry = min(2*retry, maxRetry) {
			err := s.back.bury(m, why.Error(), 0)
			if err == nil {
				err = s.ack(m.DeliveryTag)
			}
			if err == nil || !s.link.usable() || s.ch.IsClosed() {
				break
			}
			s.c.logger().Error("a message cannot be moved to the dead queue and is kept", "queue", DeadQueue(s.c.queue), "reason", err)
			timer := time.NewTimer(retry)
			select {
			case <-timer.C:
			case <-s.link.down:
				timer.Stop()
			}
		}
		s.c.mu.Lock()
		defer s.c.mu.Unlock()
		s.buried--
		s.bytes -= int64(len(m.Body))
	}()
}
