package inboxtest

import (
	"context"

	"github.com/hookhouse/hookhouse/webhook"
)

// sweepFaults break the laws of a Sweeper. Its times tell a fault which laws it is
// in.
var sweepFaults = []brokenLaw{
	{"what finished longer ago than Retention goes", func(f *fault) { // what is superseded never does
		swept := f.swept()
		left := make(map[string]bool)
		f.put = func(ctx context.Context, d *webhook.Delivery) error {
			f.mu.Lock()
			defer f.mu.Unlock()
			if *swept && left[d.UID] {
				return &webhook.DuplicateError{UID: d.UID, State: webhook.Superseded}
			}
			left[d.UID] = d.Coalesce.Quiet > 0
			return f.MemInbox.Put(ctx, d)
		}
	}},
	{"what finished later than Retention stays", func(f *fault) { // what is ignored is taken for dead
		f.changeOutcomes(func(_ *webhook.Claim, o *webhook.Outcome) {
			if o.State == webhook.Ignored && f.Retention == long {
				o.State = webhook.Dead
			}
		})
	}},
	{"what is dead stays until DeadRetention", func(f *fault) { // one time for all
		if f.Retention == short {
			f.DeadRetention = short
		}
	}},
	{"what is dead goes after DeadRetention", func(f *fault) { // as what is done does
		f.changeOutcomes(func(c *webhook.Claim, o *webhook.Outcome) {
			if o.State == webhook.Dead && f.Retention == long && c.Delivery.ID == "" {
				o.State = webhook.Done
			}
		})
	}},
	{"what is unfinished never goes", func(f *fault) { // is counted
		f.sweep = func(ctx context.Context) (int, error) {
			n, err := f.MemInbox.Sweep(ctx)
			left, _ := f.Pending(ctx, plenty)
			return n + min(n, left), err
		}
	}},
	{"a negative time keeps for ever", func(f *fault) { // no time at all
		if f.Retention < 0 {
			f.Retention = 1
		}
	}},
	{"sweeping until nothing is left deletes all", func(f *fault) { // what the last call deletes is not told
		f.sweep = func(ctx context.Context) (int, error) {
			n, err := f.MemInbox.Sweep(ctx)
			if n > 10 {
				n--
			}
			return n, err
		}
	}},
	{"what is revived and finished anew is kept from then on", func(f *fault) { // it was dead once
		f.changeOutcomes(func(c *webhook.Claim, o *webhook.Outcome) {
			if o.State == webhook.Done && f.Retention == long && c.Delivery.ID != "" {
				o.State = webhook.Dead
			}
		})
	}},
	{"what was swept is still a duplicate", func(f *fault) { // its dedup keys go too
		swept := f.swept()
		f.change(func(d *webhook.Delivery) {
			if *swept {
				d.DedupKeys = nil
			}
		})
	}},
	{"a redelivery of what died and was swept is stored", func(f *fault) { // its dedup key is left, and nothing to revive
		swept := f.swept()
		f.put = func(ctx context.Context, d *webhook.Delivery) error {
			if *swept && d.ID != "" && len(d.DedupKeys) > 0 {
				return &webhook.DuplicateError{State: webhook.Dead}
			}
			return f.MemInbox.Put(ctx, d)
		}
	}},
	{"a context that has ended sweeps nothing", func(f *fault) {
		f.sweep = func(ctx context.Context) (int, error) {
			return f.MemInbox.Sweep(context.WithoutCancel(ctx))
		}
	}},
}

// swept reports whether Sweep was called.
func (f *fault) swept() *bool {
	swept := false
	sweep := f.sweep
	f.sweep = func(ctx context.Context) (int, error) {
		swept = true
		return sweep(ctx)
	}
	return &swept
}
