package inboxtest

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// A fault is an inbox with one fault: MemInbox with some verbs replaced.
type fault struct {
	*webhook.MemInbox
	mu      sync.Mutex // for what a fault remembers
	put     func(ctx context.Context, d *webhook.Delivery) error
	claim   func(ctx context.Context, o webhook.ClaimOptions) ([]webhook.Claim, error)
	begin   func(ctx context.Context, c webhook.Claim) (webhook.Claim, error)
	extend  func(ctx context.Context, c webhook.Claim, lease time.Duration) error
	settle  func(ctx context.Context, c webhook.Claim, o webhook.Outcome) (webhook.State, error)
	sweep   func(ctx context.Context) (int, error)
	changed func() <-chan struct{}
	pending func(ctx context.Context, most int) (int, error)
	admin   adminVerbs
}

// faulty returns an inbox that has no fault yet.
func faulty(retention, deadRetention time.Duration) *fault {
	m := &webhook.MemInbox{Retention: retention, DeadRetention: deadRetention, Logger: slog.New(slog.DiscardHandler)}
	return &fault{
		MemInbox: m, put: m.Put, claim: m.Claim, begin: m.Begin, extend: m.Extend, settle: m.Settle,
		sweep: m.Sweep, changed: m.Changed, pending: m.Pending,
		admin: verbsOf(m),
	}
}

func (f *fault) Put(ctx context.Context, d *webhook.Delivery) error { return f.put(ctx, d) }
func (f *fault) Claim(ctx context.Context, o webhook.ClaimOptions) ([]webhook.Claim, error) {
	return f.claim(ctx, o)
}
func (f *fault) Extend(ctx context.Context, c webhook.Claim, lease time.Duration) error {
	return f.extend(ctx, c, lease)
}
func (f *fault) Begin(ctx context.Context, c webhook.Claim) (webhook.Claim, error) {
	return f.begin(ctx, c)
}
func (f *fault) Settle(ctx context.Context, c webhook.Claim, o webhook.Outcome) (webhook.State, error) {
	return f.settle(ctx, c, o)
}
func (f *fault) Sweep(ctx context.Context) (int, error) { return f.sweep(ctx) }
func (f *fault) Changed() <-chan struct{}               { return f.changed() }
func (f *fault) Pending(ctx context.Context, most int) (int, error) {
	return f.pending(ctx, most)
}

// change makes a copy of what is put different.
func (f *fault) change(change func(d *webhook.Delivery)) {
	f.put = func(ctx context.Context, d *webhook.Delivery) error {
		own := *d
		f.mu.Lock()
		change(&own)
		f.mu.Unlock()
		return f.MemInbox.Put(ctx, &own)
	}
}

// changeClaims makes what is claimed different.
func (f *fault) changeClaims(change func(c *webhook.Claim)) {
	f.claim = func(ctx context.Context, o webhook.ClaimOptions) ([]webhook.Claim, error) {
		claims, err := f.MemInbox.Claim(ctx, o)
		f.mu.Lock()
		defer f.mu.Unlock()
		for i := range claims {
			change(&claims[i])
		}
		return claims, err
	}
}

// changeOutcomes makes what is settled different.
func (f *fault) changeOutcomes(change func(c *webhook.Claim, o *webhook.Outcome)) {
	f.settle = func(ctx context.Context, c webhook.Claim, o webhook.Outcome) (webhook.State, error) {
		f.mu.Lock()
		change(&c, &o)
		f.mu.Unlock()
		return f.MemInbox.Settle(ctx, c, o)
	}
}

// changeStates makes what is told of a settlement different.
func (f *fault) changeStates(change func(c webhook.Claim, came *webhook.State)) {
	f.settle = func(ctx context.Context, c webhook.Claim, o webhook.Outcome) (webhook.State, error) {
		came, err := f.MemInbox.Settle(ctx, c, o)
		if err == nil {
			f.mu.Lock()
			defer f.mu.Unlock()
			change(c, &came)
		}
		return came, err
	}
}

// changeBegun makes what Begin returns different.
func (f *fault) changeBegun(change func(c *webhook.Claim)) {
	f.begin = func(ctx context.Context, c webhook.Claim) (webhook.Claim, error) {
		begun, err := f.MemInbox.Begin(ctx, c)
		if err == nil {
			f.mu.Lock()
			defer f.mu.Unlock()
			change(&begun)
		}
		return begun, err
	}
}

// changeDuplicates makes what is said of duplicates different.
func (f *fault) changeDuplicates(change func(d *webhook.Delivery, known *webhook.DuplicateError)) {
	f.put = func(ctx context.Context, d *webhook.Delivery) error {
		err := f.MemInbox.Put(ctx, d)
		if known, ok := errors.AsType[*webhook.DuplicateError](err); ok {
			f.mu.Lock()
			defer f.mu.Unlock()
			change(d, known)
		}
		return err
	}
}

// fences remembers the latest fence of each delivery.
func (f *fault) fences() map[string]int64 {
	latest := make(map[string]int64)
	f.changeClaims(func(c *webhook.Claim) { latest[c.Delivery.UID] = c.Fence })
	return latest
}

// concurrent returns a func that waits a little and reports whether another
// call of it did at the same time.
func (f *fault) concurrent() (busy func() bool) {
	var under atomic.Int64
	return func() bool {
		under.Add(1)
		<-time.After(time.Microsecond)
		return under.Add(-1) > 0
	}
}

// signal replaces the inbox's signal by one that is given by tell alone.
func (f *fault) signal() (tell func()) {
	next := make(chan struct{})
	f.changed = func() <-chan struct{} {
		f.mu.Lock()
		defer f.mu.Unlock()
		return next
	}
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		close(next)
		next = make(chan struct{})
	}
}
