package rabbitmq

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// errTypes: a queue gives out its messages in order and cannot leave some to another process.
var errTypes = fmt.Errorf("rabbitmq: a Consumer cannot claim some types only: set Default or IgnoreUnhandled of the Mux, so that it handles every type: %w", errors.ErrUnsupported)

// Claim claims deliveries that are due; see [webhook.Queue]. While there is no connection there
// are none. Types must be nil: otherwise the error wraps [errors.ErrUnsupported].
func (c *Consumer) Claim(ctx context.Context, o webhook.ClaimOptions) ([]webhook.Claim, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if o.Types != nil {
		return nil, errTypes
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.session
	if s == nil || s.draining {
		return nil, nil
	}
	o.Except = s.except(o.Except)
	claims, err := s.memory.Claim(ctx, o)
	now := time.Now()
	for i := range claims {
		s.claimed(&claims[i])
	}
	// Instead of claiming again what a newer one of its burst replaces, memory ends it.
	s.endSuperseded(func(h *held) bool { return h.claimed && h.expires.Before(now) })
	return claims, err
}

// except adds the deliveries whose end is under way.
func (s *session) except(uids []string) []string {
	uids = slices.Clone(uids)
	for uid, h := range s.held {
		if h.ending != nil {
			uids = append(uids, uid)
		}
	}
	return uids
}

// claimed completes a claim of memory. The caller holds c.mu.
func (s *session) claimed(claim *webhook.Claim) {
	h := s.held[claim.Delivery.UID]
	if !h.claimed {
		h.claimed = true
		s.claims++
		addOrigin(originOf(s.link.conn, s.c.queue, h.d.UID), 1)
	}
	h.expires = claim.Expires
	claim.Fence += h.fence
	s.c.fence = max(s.c.fence, claim.Fence)
	if !claim.Suspect {
		claim.Delivery = h.delivery()
	}
}

// find returns the session and the message of a claim, and the claim as memory knows it. The
// caller holds c.mu.
func (c *Consumer) find(claim webhook.Claim) (*session, *held, webhook.Claim, error) {
	if claim.Delivery == nil {
		return nil, nil, claim, webhook.ErrClaimLost
	}
	if s := c.session; s != nil {
		if h := s.held[claim.Delivery.UID]; h != nil && claim.Fence > h.fence {
			inner := claim
			inner.Fence -= h.fence
			return s, h, inner, nil
		}
	}
	return nil, nil, claim, fmt.Errorf("%w: %q", webhook.ErrClaimLost, claim.Delivery.UID)
}

// Begin notes that a suspect's run begins; see [webhook.Queue].
func (c *Consumer) Begin(ctx context.Context, claim webhook.Claim) (webhook.Claim, error) {
	if err := ctx.Err(); err != nil {
		return webhook.Claim{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	s, h, inner, err := c.find(claim)
	if err != nil {
		return webhook.Claim{}, err
	}
	begun, err := s.memory.Begin(ctx, inner)
	if err != nil {
		return webhook.Claim{}, err
	}
	begun.Fence += h.fence
	begun.Delivery = h.delivery()
	return begun, nil
}

// Extend renews a lease; see [webhook.Queue].
func (c *Consumer) Extend(ctx context.Context, claim webhook.Claim, lease time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	s, h, inner, err := c.find(claim)
	if err != nil {
		return err
	}
	if err := s.memory.Extend(ctx, inner, lease); err != nil {
		return err
	}
	h.expires = time.Now().Add(lease)
	c.notify()
	return nil
}

// Settle ends a claim; see [webhook.Queue]. An end of the delivery goes to the server first. If
// ctx ends meanwhile, Settle returns, and a second call waits for the same end. If the dead
// queue does not confirm a dead delivery, the claim is still held.
func (c *Consumer) Settle(ctx context.Context, claim webhook.Claim, o webhook.Outcome) (webhook.State, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	e, state, err := c.settle(ctx, claim, o)
	if e == nil {
		return state, err
	}
	select {
	case <-e.done:
		return e.state, e.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// settle settles a claim in memory, or begins its end.
func (c *Consumer) settle(ctx context.Context, claim webhook.Claim, o webhook.Outcome) (*ending, webhook.State, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if claim.Delivery != nil {
		if state, ok := c.ended.get(claim.Delivery.UID, claim.Fence); ok {
			return nil, state, nil
		}
	}
	s, h, inner, err := c.find(claim)
	switch {
	case err != nil:
		return nil, "", err
	case h.ending != nil && h.ending.fence == claim.Fence:
		return h.ending, "", nil
	case h.ending != nil:
		return nil, "", fmt.Errorf("%w: %q", webhook.ErrClaimLost, h.d.UID)
	}
	if o.State.Final() && o.State != webhook.Superseded {
		// Of a claim that is not held the end must not reach the server. The lease must
		// not let another claim begin meanwhile; except sees to that too.
		lease := max(endTimeout, time.Until(h.expires))
		if err := s.memory.Extend(ctx, inner, lease); err != nil {
			return nil, "", err
		}
		h.expires = time.Now().Add(lease)
		return s.begin(h, claim, o), "", nil
	}
	state, err := s.memory.Settle(ctx, inner, o)
	if err != nil {
		return nil, "", err
	}
	c.ended.add(h.d.UID, claim.Fence, state)
	s.unclaim(h)
	if state == webhook.Superseded {
		s.begin(h, webhook.Claim{}, webhook.Outcome{State: webhook.Superseded})
	}
	c.notify()
	return nil, state, nil
}

// NextDue implements [webhook.NextDuer].
func (c *Consumer) NextDue(ctx context.Context, o webhook.ClaimOptions) (time.Duration, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if o.Types != nil {
		return 0, errTypes
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.session
	if s == nil || s.draining {
		return math.MaxInt64, nil
	}
	o.Except = s.except(o.Except)
	return s.memory.NextDue(ctx, o)
}
