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

// A fault is a MemInbox with one fault: some of its methods are replaced.
type fault struct {
	*webhook.MemInbox
	mu      sync.Mutex // guards the state of the fault
	put     func(ctx context.Context, d *webhook.Delivery) error
	claim   func(ctx context.Context, o webhook.ClaimOptions) ([]webhook.Claim, error)
	begin   func(ctx context.Context, c webhook.Claim) (webhook.Claim, error)
	extend  func(ctx context.Context, c webhook.Claim, lease time.Duration) error
	settle  func(ctx context.Context, c webhook.Claim, o webhook.Outcome) (webhook.State, error)
	sweep   func(ctx context.Context) (int, error)
	changed func() <-chan struct{}
	nextDue func(ctx context.Context, o webhook.ClaimOptions) (time.Duration, error)
	pending func(ctx context.Context, limit int) (int, error)
	admin   adminVerbs

	cursor    func(ctx context.Context, name string) (string, error)
	setCursor func(ctx context.Context, name, from, to string) error
	known     func(ctx context.Context, source string, keys []string) ([]bool, error)
}

// faulty returns an inbox that has no fault yet.
func faulty(retention, deadRetention time.Duration) *fault {
	m := &webhook.MemInbox{Retention: retention, DeadRetention: deadRetention, Logger: slog.New(slog.DiscardHandler)}
	return &fault{
		MemInbox: m, put: m.Put, claim: m.Claim, begin: m.Begin, extend: m.Extend, settle: m.Settle,
		sweep: m.Sweep, changed: m.Changed, nextDue: m.NextDue, pending: m.Pending,
		admin: verbsOf(m), cursor: m.Cursor, setCursor: m.SetCursor, known: m.Known,
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
func (f *fault) NextDue(ctx context.Context, o webhook.ClaimOptions) (time.Duration, error) {
	return f.nextDue(ctx, o)
}
func (f *fault) Pending(ctx context.Context, limit int) (int, error) {
	return f.pending(ctx, limit)
}

// change calls change for a copy of each delivery that is put.
func (f *fault) change(change func(d *webhook.Delivery)) {
	f.put = func(ctx context.Context, d *webhook.Delivery) error {
		own := *d
		f.mu.Lock()
		change(&own)
		f.mu.Unlock()
		return f.MemInbox.Put(ctx, &own)
	}
}

// changeClaims calls change for each claim.
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

// changeOutcomes calls change before each Settle.
func (f *fault) changeOutcomes(change func(c *webhook.Claim, o *webhook.Outcome)) {
	f.settle = func(ctx context.Context, c webhook.Claim, o webhook.Outcome) (webhook.State, error) {
		f.mu.Lock()
		change(&c, &o)
		f.mu.Unlock()
		return f.MemInbox.Settle(ctx, c, o)
	}
}

// changeStates calls change for each state that Settle returns.
func (f *fault) changeStates(change func(c webhook.Claim, state *webhook.State)) {
	f.settle = func(ctx context.Context, c webhook.Claim, o webhook.Outcome) (webhook.State, error) {
		state, err := f.MemInbox.Settle(ctx, c, o)
		if err == nil {
			f.mu.Lock()
			defer f.mu.Unlock()
			change(c, &state)
		}
		return state, err
	}
}

// changeBegun calls change for each claim that Begin returns.
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

// changeDuplicates calls change for each DuplicateError of Put.
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

// fences returns a map with the latest fence of each delivery.
func (f *fault) fences() map[string]int64 {
	latest := make(map[string]int64)
	f.changeClaims(func(c *webhook.Claim) { latest[c.Delivery.UID] = c.Fence })
	return latest
}

// concurrent returns a func that waits for a microsecond and reports whether
// another call of it waited at the same time.
func (f *fault) concurrent() (busy func() bool) {
	var under atomic.Int64
	return func() bool {
		under.Add(1)
		<-time.After(time.Microsecond)
		return under.Add(-1) > 0
	}
}

// signal replaces the channel of Changed by one that only notify closes.
func (f *fault) signal() (notify func()) {
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
