package crash

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// A Variant names an inbox that breaks a promise. The zero value breaks none.
type Variant string

// The variants.
const (
	Hasty     Variant = "acknowledges before it commits"
	Careless  Variant = "settles before the callback runs"
	Forgetful Variant = "keeps no dedup keys"
	Unordered Variant = "lets the next of a key go ahead"
)

// An inbox is what a receiver stores into.
type inbox interface {
	webhook.Inbox
	webhook.Notifier
	// Pending counts what is not finished, up to most.
	Pending(ctx context.Context, most int) (int, error)
}

func (v Variant) of(in *sqlinbox.Inbox) inbox {
	switch v {
	case Hasty:
		return &hasty{in, make(chan struct{}, 64)}
	case Careless:
		return careless{in}
	case Forgetful:
		return forgetful{in}
	case Unordered:
		return unordered{in}
	default:
		return in
	}
}

// hasty commits a little after it has answered.
type hasty struct {
	*sqlinbox.Inbox
	uncommitted chan struct{} // an element for each
}

func (h *hasty) Put(_ context.Context, d *webhook.Delivery) error {
	kept := *d
	kept.Header = d.Header.Clone()
	h.uncommitted <- struct{}{}
	time.AfterFunc(20*time.Millisecond, func() {
		_ = h.Inbox.Put(context.Background(), &kept)
		<-h.uncommitted
	})
	return nil
}

func (h *hasty) Pending(ctx context.Context, most int) (int, error) {
	uncommitted := len(h.uncommitted) // first: what is committed meanwhile counts twice
	n, err := h.Inbox.Pending(ctx, most)
	return uncommitted + n, err
}

// careless makes of at least once at most once.
type careless struct{ *sqlinbox.Inbox }

func (c careless) Claim(ctx context.Context, o webhook.ClaimOptions) ([]webhook.Claim, error) {
	claims, err := c.Inbox.Claim(ctx, o)
	var settling sync.WaitGroup
	for _, claim := range claims {
		settling.Go(func() { _, _ = c.Inbox.Settle(ctx, claim, webhook.Outcome{State: webhook.Done}) })
	}
	settling.Wait()
	return claims, err
}

func (careless) Extend(context.Context, webhook.Claim, time.Duration) error { return nil }

func (careless) Settle(_ context.Context, _ webhook.Claim, o webhook.Outcome) (webhook.State, error) {
	return o.State, nil
}

// forgetful does not know what it has stored already.
type forgetful struct{ *sqlinbox.Inbox }

func (f forgetful) Put(ctx context.Context, d *webhook.Delivery) error {
	unmarked := *d
	unmarked.DedupKeys = nil
	return f.Inbox.Put(ctx, &unmarked)
}

// unordered puts every second claim back for a while, and others run meanwhile.
type unordered struct{ *sqlinbox.Inbox }

func (u unordered) Claim(ctx context.Context, o webhook.ClaimOptions) ([]webhook.Claim, error) {
	claims, err := u.Inbox.Claim(ctx, o)
	var kept []webhook.Claim
	for _, c := range claims {
		back := webhook.Outcome{State: webhook.Waiting, Delay: 2 * time.Second, RetryOutOfOrder: true}
		if c.Attempt > 1 || rand.N(2) == 0 {
			kept = append(kept, c)
		} else if _, err := u.Settle(ctx, c, back); err != nil {
			kept = append(kept, c)
		}
	}
	return kept, err
}
