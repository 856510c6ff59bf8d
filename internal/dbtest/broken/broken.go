// Package broken has inboxes that break one promise each. A test of sqlinbox
// proves with them that it finds what it looks for.
package broken

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// A Variant names the promise that an inbox breaks. The zero Variant breaks none.
type Variant string

// Package crash finds these.
const (
	AcknowledgesEarly Variant = "acknowledges before it commits"
	SettlesEarly      Variant = "settles before the callback runs"
	Reorders          Variant = "puts claims back behind younger ones of their key"
)

// Package ledger finds these; package crash finds NoDedupKeys, too. A variant of one
// delivery breaks the promise once in [Rarely] deliveries.
const (
	LosesOne       Variant = "acknowledges one and does not store it"
	DeniesOne      Variant = "stores one and calls it a duplicate"
	RepeatsOne     Variant = "puts one back that is done"
	DoneForDead    Variant = "settles as done what is dead"
	NoDedupKeys    Variant = "stores no dedup keys"
	NoOrderingKeys Variant = "stores no ordering keys"
	NoCoalescing   Variant = "stores bursts as single deliveries"
)

// Rarely is how many deliveries such a variant counts before it breaks the promise.
const Rarely = 150

// An Inbox is what receivers and workers use.
type Inbox interface {
	webhook.Inbox
	webhook.Notifier
	webhook.PendingCounter
}

// Of returns an inbox that breaks the promise, over one that keeps it.
func (v Variant) Of(in *sqlinbox.Inbox) Inbox {
	b := &inbox{Inbox: in, put: in.Put, claim: in.Claim, extend: in.Extend, settle: in.Settle, pending: in.Pending}
	var n atomic.Int64
	rarely := func() bool { return n.Add(1)%Rarely == 0 }
	switch v {
	case AcknowledgesEarly:
		b.commitLater()
	case LosesOne:
		b.put = func(ctx context.Context, d *webhook.Delivery) error {
			if d.Coalesce.Quiet == 0 && rarely() {
				return nil
			}
			return in.Put(ctx, d)
		}
	case DeniesOne:
		b.put = func(ctx context.Context, d *webhook.Delivery) error {
			err := in.Put(ctx, d)
			if err == nil && rarely() {
				return &webhook.DuplicateError{UID: "another", State: webhook.Done}
			}
			return err
		}
	case NoDedupKeys:
		b.storeChanged(func(d *webhook.Delivery) { d.DedupKeys = nil })
	case NoOrderingKeys:
		b.storeChanged(func(d *webhook.Delivery) { d.OrderingKey = "" })
	case NoCoalescing:
		b.storeChanged(func(d *webhook.Delivery) { d.Coalesce = webhook.Coalesce{} })
	case SettlesEarly:
		b.settleClaims()
	case RepeatsOne:
		b.changeOutcomes(func(o *webhook.Outcome) {
			if o.State == webhook.Done && rarely() {
				o.State = webhook.Waiting
			}
		})
	case Reorders:
		b.putClaimsBack()
	case DoneForDead:
		b.changeOutcomes(func(o *webhook.Outcome) {
			if o.State == webhook.Dead {
				o.State = webhook.Done
			}
		})
	default:
		return in
	}
	return b
}

// An inbox is a sqlinbox.Inbox with some methods replaced.
type inbox struct {
	*sqlinbox.Inbox
	put     func(ctx context.Context, d *webhook.Delivery) error
	claim   func(ctx context.Context, o webhook.ClaimOptions) ([]webhook.Claim, error)
	extend  func(ctx context.Context, c webhook.Claim, lease time.Duration) error
	settle  func(ctx context.Context, c webhook.Claim, o webhook.Outcome) (webhook.State, error)
	pending func(ctx context.Context, limit int) (int, error)
}

func (b *inbox) Put(ctx context.Context, d *webhook.Delivery) error { return b.put(ctx, d) }

func (b *inbox) Claim(ctx context.Context, o webhook.ClaimOptions) ([]webhook.Claim, error) {
	return b.claim(ctx, o)
}

func (b *inbox) Extend(ctx context.Context, c webhook.Claim, lease time.Duration) error {
	return b.extend(ctx, c, lease)
}

func (b *inbox) Settle(ctx context.Context, c webhook.Claim, o webhook.Outcome) (webhook.State, error) {
	return b.settle(ctx, c, o)
}

func (b *inbox) Pending(ctx context.Context, limit int) (int, error) { return b.pending(ctx, limit) }

// storeChanged stores a changed copy of each delivery.
func (b *inbox) storeChanged(change func(d *webhook.Delivery)) {
	b.put = func(ctx context.Context, d *webhook.Delivery) error {
		own := *d
		change(&own)
		return b.Inbox.Put(ctx, &own)
	}
}

func (b *inbox) changeOutcomes(change func(o *webhook.Outcome)) {
	b.settle = func(ctx context.Context, c webhook.Claim, o webhook.Outcome) (webhook.State, error) {
		change(&o)
		return b.Inbox.Settle(ctx, c, o)
	}
}

// commitLater commits a little after it has answered.
func (b *inbox) commitLater() {
	uncommitted := make(chan struct{}, 64) // an element for each
	b.put = func(_ context.Context, d *webhook.Delivery) error {
		own := *d
		own.Header = d.Header.Clone()
		uncommitted <- struct{}{}
		time.AfterFunc(20*time.Millisecond, func() {
			_ = b.Inbox.Put(context.Background(), &own)
			<-uncommitted
		})
		return nil
	}
	b.pending = func(ctx context.Context, limit int) (int, error) {
		first := len(uncommitted) // what is committed meanwhile counts twice
		n, err := b.Inbox.Pending(ctx, limit)
		return first + n, err
	}
}

// settleClaims turns at least once into at most once.
func (b *inbox) settleClaims() {
	b.claim = func(ctx context.Context, o webhook.ClaimOptions) ([]webhook.Claim, error) {
		claims, err := b.Inbox.Claim(ctx, o)
		var settling sync.WaitGroup
		for _, c := range claims {
			settling.Go(func() { _, _ = b.Inbox.Settle(ctx, c, webhook.Outcome{State: webhook.Done}) })
		}
		settling.Wait()
		return claims, err
	}
	b.extend = func(context.Context, webhook.Claim, time.Duration) error { return nil }
	b.settle = func(_ context.Context, _ webhook.Claim, o webhook.Outcome) (webhook.State, error) {
		return o.State, nil
	}
}

// putClaimsBack puts every second claim back for a while, and younger ones of the
// key run meanwhile.
func (b *inbox) putClaimsBack() {
	b.claim = func(ctx context.Context, o webhook.ClaimOptions) ([]webhook.Claim, error) {
		claims, err := b.Inbox.Claim(ctx, o)
		var kept []webhook.Claim
		for _, c := range claims {
			back := webhook.Outcome{State: webhook.Waiting, Delay: 2 * time.Second, RetryOutOfOrder: true}
			if c.Attempt > 1 || rand.N(2) == 0 {
				kept = append(kept, c)
			} else if _, err := b.Inbox.Settle(ctx, c, back); err != nil {
				kept = append(kept, c)
			}
		}
		return kept, err
	}
}
