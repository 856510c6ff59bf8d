package inboxtest

import (
	"context"

	"github.com/hookhouse/hookhouse/webhook"
)

// sweepFaults break the laws of a Sweeper. A fault knows from the retention of the
// inbox which laws use it.
var sweepFaults = []brokenLaw{
	{"a delivery that finished longer ago than Retention is deleted", func(f *fault) { // not a superseded one
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
	{"a delivery that finished within Retention is kept", func(f *fault) { // DeadRetention applies to ignored ones
		f.changeOutcomes(func(_ *webhook.Claim, o *webhook.Outcome) {
			if o.State == webhook.Ignored && f.Retention == long {
				o.State = webhook.Dead
			}
		})
	}},
	{"a dead delivery is kept until DeadRetention is over", func(f *fault) { // Retention applies to it
		if f.Retention == short {
			f.DeadRetention = short
		}
	}},
	{"a dead delivery is deleted after DeadRetention", func(f *fault) { // only after Retention
		f.changeOutcomes(func(c *webhook.Claim, o *webhook.Outcome) {
			if o.State == webhook.Dead && f.Retention == long && c.Delivery.ID == "" {
				o.State = webhook.Done
			}
		})
	}},
	{"an unfinished delivery is never deleted", func(f *fault) { // it is counted as deleted
		f.sweep = func(ctx context.Context) (int, error) {
			n, err := f.MemInbox.Sweep(ctx)
			left, _ := f.Pending(ctx, plenty)
			return n + min(n, left), err
		}
	}},
	{"a negative retention keeps deliveries indefinitely", func(f *fault) { // negative means a very short time
		if f.Retention < 0 {
			f.Retention = 1
		}
	}},
	{"Sweep until it returns 0 deletes and counts every expired delivery", func(f *fault) { // counts one less than it deletes
		f.sweep = func(ctx context.Context) (int, error) {
			n, err := f.MemInbox.Sweep(ctx)
			if n > 10 {
				n--
			}
			return n, err
		}
	}},
	{"the retention of a revived delivery begins at its second end", func(f *fault) { // DeadRetention applies, because it was dead once
		f.changeOutcomes(func(c *webhook.Claim, o *webhook.Outcome) {
			if o.State == webhook.Done && f.Retention == long && c.Delivery.ID != "" {
				o.State = webhook.Dead
			}
		})
	}},
	{"dedup keys of a deleted delivery are still known", func(f *fault) { // its dedup keys are deleted too
		swept := f.swept()
		f.change(func(d *webhook.Delivery) {
			if *swept {
				d.DedupKeys = nil
			}
		})
	}},
	{"a redelivery of a deleted dead delivery is stored", func(f *fault) { // its dedup key is left
		swept := f.swept()
		f.put = func(ctx context.Context, d *webhook.Delivery) error {
			if *swept && d.ID != "" && len(d.DedupKeys) > 0 {
				return &webhook.DuplicateError{State: webhook.Dead}
			}
			return f.MemInbox.Put(ctx, d)
		}
	}},
	{"Sweep with a canceled context deletes nothing", func(f *fault) {
		f.sweep = func(ctx context.Context) (int, error) {
			return f.MemInbox.Sweep(context.WithoutCancel(ctx))
		}
	}},
}

// swept returns a bool that is true after the first Sweep.
func (f *fault) swept() *bool {
	swept := false
	sweep := f.sweep
	f.sweep = func(ctx context.Context) (int, error) {
		swept = true
		return sweep(ctx)
	}
	return &swept
}
