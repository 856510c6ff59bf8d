package webhook

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// A guardedQueue is a Queue as a Worker calls it: its panics become errors, its
// errors are made safe, and its results are checked.
type guardedQueue struct{ Queue }

func (g guardedQueue) Claim(ctx context.Context, o ClaimOptions) (claims []Claim, err error) {
	defer recoverTo(&err)
	claims, err = g.Queue.Claim(ctx, o)
	claims, invalid := validClaims(claims, o.N)
	if err == nil {
		err = invalid
	}
	return claims, toSafe(err)
}

// validClaims returns the claims that can be run: at most n, each with a delivery, no
// delivery twice. If some are left out, the error says why.
func validClaims(claims []Claim, n int) (valid []Claim, err error) {
	if len(claims) > n {
		err = fmt.Errorf("webhook: the inbox returned %d claims, more than the %d requested", len(claims), n)
		claims = claims[:n]
	}
	valid = claims[:0]
	var seen map[string]bool
	if len(claims) > 1 {
		seen = make(map[string]bool, len(claims))
	}
	for _, c := range claims {
		switch {
		case c.Delivery == nil:
			err = errors.New("webhook: the inbox returned a claim without a delivery")
			continue
		case seen[c.Delivery.UID]:
			err = fmt.Errorf("webhook: the inbox returned two claims of %s", c.Delivery.UID)
			continue
		case seen != nil:
			seen[c.Delivery.UID] = true
		}
		valid = append(valid, c)
	}
	return valid, err
}

func (g guardedQueue) Begin(ctx context.Context, c Claim) (begun Claim, err error) {
	defer recoverTo(&err)
	begun, err = g.Queue.Begin(ctx, c)
	if err == nil && (begun.Delivery == nil || begun.Delivery.UID != c.Delivery.UID) {
		err = fmt.Errorf("webhook: the inbox began %s and did not return its delivery", c.Delivery.UID)
	}
	return begun, toSafe(err)
}

func (g guardedQueue) Extend(ctx context.Context, c Claim, lease time.Duration) (err error) {
	defer recoverTo(&err)
	return toSafe(g.Queue.Extend(ctx, c, lease))
}

func (g guardedQueue) Settle(ctx context.Context, c Claim, o Outcome) (state State, err error) {
	defer recoverTo(&err)
	state, err = g.Queue.Settle(ctx, c, o)
	return state, toSafe(err)
}

// changed returns the signal of a [Notifier]. For another inbox it returns nil, which
// is never ready.
func (g guardedQueue) changed() (signal <-chan struct{}, err error) {
	defer recoverTo(&err)
	if n, ok := g.Queue.(Notifier); ok {
		signal = n.Changed()
	}
	return signal, nil
}

// nextDue calls NextDue of a [NextDuer]. It reports false for another inbox.
func (g guardedQueue) nextDue(ctx context.Context, o ClaimOptions) (wait time.Duration, ok bool, err error) {
	defer recoverTo(&err)
	n, ok := g.Queue.(NextDuer)
	if !ok {
		return 0, false, nil
	}
	wait, err = n.NextDue(ctx, o)
	return wait, err == nil, toSafe(err)
}

// sweep calls a [Sweeper]. For another inbox it does nothing.
func (g guardedQueue) sweep(ctx context.Context) (n int, err error) {
	defer recoverTo(&err)
	if s, ok := g.Queue.(Sweeper); ok {
		n, err = s.Sweep(ctx)
	}
	return n, toSafe(err)
}

// ping calls Ping, which says whether the inbox would store a delivery. For an inbox
// without it ping does nothing.
func (g guardedQueue) ping(ctx context.Context) (err error) {
	defer recoverTo(&err)
	if p, ok := g.Queue.(interface{ Ping(context.Context) error }); ok {
		return toSafe(p.Ping(ctx))
	}
	return nil
}

// unhandled calls Unhandled, which returns the types that no Worker claims. For an
// inbox without it unhandled returns nil.
func (g guardedQueue) unhandled(ctx context.Context) (types []string, err error) {
	defer recoverTo(&err)
	if u, ok := g.Queue.(interface {
		Unhandled(context.Context) ([]string, error)
	}); ok {
		types, err = u.Unhandled(ctx)
	}
	return types, toSafe(err)
}
