package inboxtest

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// settlingFaults break the laws of outcomes, leases, order, coalescing and the
// optional interfaces.
var settlingFaults = []brokenLaw{
	{"a retry is not claimed before its delay is over", func(f *fault) {
		f.changeOutcomes(func(_ *webhook.Claim, o *webhook.Outcome) {
			if !o.RetryOutOfOrder && !o.Uncounted {
				o.Delay = 0
			}
		})
	}},
	{"a retry is claimed after its delay, as the next attempt", func(f *fault) { // does not count a run if its retry has a delay
		f.changeOutcomes(func(_ *webhook.Claim, o *webhook.Outcome) { o.Uncounted = o.Uncounted || o.Delay > 0 })
	}},
	{"a release does not count as an attempt", func(f *fault) {
		f.changeOutcomes(func(c *webhook.Claim, o *webhook.Outcome) { o.Uncounted = o.Uncounted && (c.Suspect || o.Delay > 0) })
	}},
	{"Settle returns the state of the delivery", func(f *fault) { // returns done instead of dead
		f.changeStates(func(_ webhook.Claim, state *webhook.State) {
			if *state == webhook.Dead {
				*state = webhook.Done
			}
		})
	}},
	{"a second Settle of a claim returns the first result and changes nothing", func(f *fault) { // only for final states, not for waiting
		settled := make(map[string]int64)
		f.settle = func(ctx context.Context, c webhook.Claim, o webhook.Outcome) (webhook.State, error) {
			if settled[c.Delivery.UID] == c.Fence {
				return "", webhook.ErrClaimLost
			}
			state, err := f.MemInbox.Settle(ctx, c, o)
			if state == webhook.Waiting {
				settled[c.Delivery.UID] = c.Fence
			}
			return state, err
		}
	}},
	{"a second Settle of a superseded delivery returns Superseded", func(f *fault) { // returns the state of the outcome
		settled := make(map[string]int64)
		f.changeStates(func(c webhook.Claim, state *webhook.State) {
			if settled[c.Delivery.UID] == c.Fence && *state == webhook.Superseded {
				*state = webhook.Waiting
			}
			settled[c.Delivery.UID] = c.Fence
		})
	}},
	{"a claim has the reason of the last outcome", func(f *fault) { // the reason of the first outcome
		first := make(map[string]string)
		f.changeClaims(func(c *webhook.Claim) {
			if first[c.Delivery.UID] == "" {
				first[c.Delivery.UID] = c.Reason
			}
			c.Reason = first[c.Delivery.UID]
		})
	}},
	{"Extend of a settled claim returns ErrClaimLost", func(f *fault) { // returns no error, like Settle
		settled := make(map[string]int64)
		f.changeStates(func(c webhook.Claim, _ *webhook.State) { settled[c.Delivery.UID] = c.Fence })
		f.extend = func(ctx context.Context, c webhook.Claim, lease time.Duration) error {
			if settled[c.Delivery.UID] == c.Fence {
				return nil
			}
			return f.MemInbox.Extend(ctx, c, lease)
		}
	}},
	{"Settle of a lost claim returns ErrClaimLost and changes nothing", func(f *fault) { // does not check the fence
		latest := f.fences()
		f.changeOutcomes(func(c *webhook.Claim, _ *webhook.Outcome) { c.Fence = latest[c.Delivery.UID] })
	}},
	{"Extend of a lost claim returns ErrClaimLost", func(f *fault) { // does not check the fence
		latest := f.fences()
		f.extend = func(ctx context.Context, c webhook.Claim, lease time.Duration) error {
			c.Fence = latest[c.Delivery.UID]
			return f.MemInbox.Extend(ctx, c, lease)
		}
	}},
	{"Settle, Extend and Begin of an unknown delivery return ErrClaimLost", func(f *fault) { // no error if no row is updated
		claimed := f.fences()
		f.settle = func(ctx context.Context, c webhook.Claim, o webhook.Outcome) (webhook.State, error) {
			if claimed[c.Delivery.UID] == 0 {
				return o.State, nil
			}
			return f.MemInbox.Settle(ctx, c, o)
		}
	}},
	{"Settle refuses a state that is no outcome", func(f *fault) {
		f.changeOutcomes(func(_ *webhook.Claim, o *webhook.Outcome) {
			if o.State == webhook.Superseded {
				o.State = webhook.Done
			}
		})
	}},
	{"Extend prolongs the lease", func(f *fault) { // does not change the lease
		f.extend = func(ctx context.Context, c webhook.Claim, lease time.Duration) error {
			return f.MemInbox.Extend(ctx, c, min(lease, 4*short))
		}
	}},
	{"an extended lease expires too", func(f *fault) {
		f.extend = func(ctx context.Context, c webhook.Claim, lease time.Duration) error {
			if lease == short {
				lease = long
			}
			return f.MemInbox.Extend(ctx, c, lease)
		}
	}},
	{"a claim with an expired lease can be settled until the delivery is claimed again", func(f *fault) {
		f.settle = func(ctx context.Context, c webhook.Claim, o webhook.Outcome) (webhook.State, error) {
			if time.Now().After(c.Expires) {
				return "", webhook.ErrClaimLost
			}
			return f.MemInbox.Settle(ctx, c, o)
		}
	}},
	{"a claim with an expired lease can be extended until the delivery is claimed again", func(f *fault) {
		f.extend = func(ctx context.Context, c webhook.Claim, lease time.Duration) error {
			if time.Now().After(c.Expires) {
				return webhook.ErrClaimLost
			}
			return f.MemInbox.Extend(ctx, c, lease)
		}
	}},
	{"all deliveries with expired leases are claimed again, even if they exceed N", func(f *fault) { // twenty, and no more
		again := 0
		f.claim = func(ctx context.Context, o webhook.ClaimOptions) ([]webhook.Claim, error) {
			claims, err := f.MemInbox.Claim(ctx, o)
			f.mu.Lock()
			defer f.mu.Unlock()
			return slices.DeleteFunc(claims, func(c webhook.Claim) bool {
				if c.Attempt == 2 {
					again++
				}
				return again > 20
			}), err
		}
	}},
	{"ordering keys are compared byte by byte", func(f *fault) { // a collation
		keys := make(map[string]string)
		f.change(func(d *webhook.Delivery) {
			keys[d.UID] = d.OrderingKey
			d.OrderingKey = strings.ToLower(d.OrderingKey)
		})
		f.changeClaims(func(c *webhook.Claim) { c.Delivery.OrderingKey = keys[c.Delivery.UID] })
	}},
	{"a younger delivery of an ordering key is blocked until the older one is done", func(f *fault) {
		f.changeDuplicates(func(_ *webhook.Delivery, known *webhook.DuplicateError) {
			if known.State == webhook.Blocked {
				known.State = webhook.Waiting
			}
		})
	}},
	{"a retry blocks its ordering key", func(f *fault) { // always with RetryOutOfOrder
		f.changeOutcomes(func(_ *webhook.Claim, o *webhook.Outcome) { o.RetryOutOfOrder = o.RetryOutOfOrder || !o.Uncounted })
	}},
	{"the older deliveries of a burst are superseded", func(f *fault) { // their state is done
		f.changeDuplicates(func(_ *webhook.Delivery, known *webhook.DuplicateError) {
			if known.State == webhook.Superseded {
				known.State = webhook.Done
			}
		})
	}},
	{"each delivery of a burst starts Quiet again", func(f *fault) { // only the first starts it
		first := make(map[string]time.Time)
		f.change(func(d *webhook.Delivery) {
			if first[d.OrderingKey].IsZero() {
				first[d.OrderingKey] = time.Now()
			}
			if d.Coalesce.Quiet > 0 {
				d.Coalesce.Quiet = max(d.Coalesce.Quiet-time.Since(first[d.OrderingKey]), time.Nanosecond)
			}
		})
	}},
	{"Max counts from the first delivery of the burst", func(f *fault) { // Max counts from each delivery
		f.change(func(d *webhook.Delivery) {
			if d.Coalesce.Max > 0 && d.Coalesce.Max < d.Coalesce.Quiet {
				d.Coalesce = webhook.Coalesce{Quiet: d.Coalesce.Max}
			}
		})
	}},
	{"Put closes the channel of Changed", func(f *fault) { // only Settle and Extend do
		notify := f.signal()
		f.extendThen(notify)
		settle := f.settle
		f.settle = func(ctx context.Context, c webhook.Claim, o webhook.Outcome) (webhook.State, error) {
			defer notify()
			return settle(ctx, c, o)
		}
	}},
	{"a Settle that unblocks an ordering key closes the channel of Changed", func(f *fault) { // only a release does
		notify := f.signal()
		f.extendThen(notify)
		put, settle := f.put, f.settle
		f.put = func(ctx context.Context, d *webhook.Delivery) error {
			defer notify()
			return put(ctx, d)
		}
		f.settle = func(ctx context.Context, c webhook.Claim, o webhook.Outcome) (webhook.State, error) {
			if o.State == webhook.Waiting {
				defer notify()
			}
			return settle(ctx, c, o)
		}
	}},
	{"Pending counts waiting, blocked and claimed deliveries", func(f *fault) { // not the blocked ones
		f.pending = func(ctx context.Context, limit int) (int, error) {
			n, err := f.MemInbox.Pending(ctx, limit)
			return min(n, 2), err
		}
	}},
}
