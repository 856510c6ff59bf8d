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
	{"a retry waits for its delay", func(f *fault) {
		f.changeOutcomes(func(_ *webhook.Claim, o *webhook.Outcome) {
			if !o.RetryOutOfOrder {
				o.Delay = 0
			}
		})
	}},
	{"a retry comes after its delay as the next attempt", func(f *fault) { // never counts what waits
		f.changeOutcomes(func(_ *webhook.Claim, o *webhook.Outcome) { o.Uncounted = o.Uncounted || o.Delay > 0 })
	}},
	{"a release is not counted", func(f *fault) {
		f.changeOutcomes(func(c *webhook.Claim, o *webhook.Outcome) { o.Uncounted = o.Uncounted && c.Suspect })
	}},
	{"a settlement tells the state that came of it", func(f *fault) { // dead is told as done
		f.changeStates(func(_ webhook.Claim, came *webhook.State) {
			if *came == webhook.Dead {
				*came = webhook.Done
			}
		})
	}},
	{"settling again tells what came of it, and changes nothing", func(f *fault) { // of what is final, but not of what waits
		settled := make(map[string]int64)
		f.settle = func(ctx context.Context, c webhook.Claim, o webhook.Outcome) (webhook.State, error) {
			if settled[c.Delivery.UID] == c.Fence {
				return "", webhook.ErrClaimLost
			}
			came, err := f.MemInbox.Settle(ctx, c, o)
			if came == webhook.Waiting {
				settled[c.Delivery.UID] = c.Fence
			}
			return came, err
		}
	}},
	{"settling again what was superseded tells so", func(f *fault) { // tells what was asked for
		asked := make(map[string]int64)
		f.changeStates(func(c webhook.Claim, came *webhook.State) {
			if asked[c.Delivery.UID] == c.Fence && *came == webhook.Superseded {
				*came = webhook.Waiting
			}
			asked[c.Delivery.UID] = c.Fence
		})
	}},
	{"a claim tells the reason of the last outcome", func(f *fault) { // of the first
		first := make(map[string]string)
		f.changeClaims(func(c *webhook.Claim) {
			if first[c.Delivery.UID] == "" {
				first[c.Delivery.UID] = c.Reason
			}
			c.Reason = first[c.Delivery.UID]
		})
	}},
	{"extending what was settled is ErrClaimLost", func(f *fault) { // no error, as Settle
		settled := make(map[string]int64)
		f.changeStates(func(c webhook.Claim, _ *webhook.State) { settled[c.Delivery.UID] = c.Fence })
		f.extend = func(ctx context.Context, c webhook.Claim, lease time.Duration) error {
			if settled[c.Delivery.UID] == c.Fence {
				return nil
			}
			return f.MemInbox.Extend(ctx, c, lease)
		}
	}},
	{"settling a lost claim changes nothing", func(f *fault) { // by UID alone
		latest := f.fences()
		f.changeOutcomes(func(c *webhook.Claim, _ *webhook.Outcome) { c.Fence = latest[c.Delivery.UID] })
	}},
	{"extending a lost claim is ErrClaimLost", func(f *fault) { // by UID alone
		latest := f.fences()
		f.extend = func(ctx context.Context, c webhook.Claim, lease time.Duration) error {
			c.Fence = latest[c.Delivery.UID]
			return f.MemInbox.Extend(ctx, c, lease)
		}
	}},
	{"a claim of what is not there is ErrClaimLost", func(f *fault) { // no rows, no error
		claimed := f.fences()
		f.settle = func(ctx context.Context, c webhook.Claim, o webhook.Outcome) (webhook.State, error) {
			if claimed[c.Delivery.UID] == 0 {
				return o.State, nil
			}
			return f.MemInbox.Settle(ctx, c, o)
		}
	}},
	{"a state that is no outcome is refused", func(f *fault) {
		f.changeOutcomes(func(_ *webhook.Claim, o *webhook.Outcome) {
			if o.State == webhook.Superseded {
				o.State = webhook.Done
			}
		})
	}},
	{"extending keeps the lease", func(f *fault) { // adds nothing
		f.extend = func(ctx context.Context, c webhook.Claim, lease time.Duration) error {
			return f.MemInbox.Extend(ctx, c, min(lease, 4*short))
		}
	}},
	{"an extended lease ends too", func(f *fault) {
		f.extend = func(ctx context.Context, c webhook.Claim, lease time.Duration) error {
			return f.MemInbox.Extend(ctx, c, lease+long)
		}
	}},
	{"a lease that ran out may be settled until it is claimed again", func(f *fault) {
		f.settle = func(ctx context.Context, c webhook.Claim, o webhook.Outcome) (webhook.State, error) {
			if time.Now().After(c.Expires) {
				return "", webhook.ErrClaimLost
			}
			return f.MemInbox.Settle(ctx, c, o)
		}
	}},
	{"a lease that ran out may be extended until it is claimed again", func(f *fault) {
		f.extend = func(ctx context.Context, c webhook.Claim, lease time.Duration) error {
			if time.Now().After(c.Expires) {
				return webhook.ErrClaimLost
			}
			return f.MemInbox.Extend(ctx, c, lease)
		}
	}},
	{"more expired leases than a batch are all claimed again", func(f *fault) { // one batch, then none
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
	{"keys are compared byte for byte", func(f *fault) { // a collation
		keys := make(map[string]string)
		f.change(func(d *webhook.Delivery) {
			keys[d.UID] = d.OrderingKey
			d.OrderingKey = strings.ToLower(d.OrderingKey)
		})
		f.changeClaims(func(c *webhook.Claim) { c.Delivery.OrderingKey = keys[c.Delivery.UID] })
	}},
	{"what stands behind another of its key says so", func(f *fault) {
		f.changeDuplicates(func(_ *webhook.Delivery, known *webhook.DuplicateError) {
			if known.State == webhook.Blocked {
				known.State = webhook.Waiting
			}
		})
	}},
	{"a retry holds its key", func(f *fault) { // yields unasked
		f.changeOutcomes(func(_ *webhook.Claim, o *webhook.Outcome) { o.RetryOutOfOrder = true })
	}},
	{"the older ones of a burst are superseded", func(f *fault) { // called done
		f.changeDuplicates(func(_ *webhook.Delivery, known *webhook.DuplicateError) {
			if known.State == webhook.Superseded {
				known.State = webhook.Done
			}
		})
	}},
	{"each of a burst starts quiet again", func(f *fault) { // only the first does
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
	{"Max counts from the first of the burst", func(f *fault) { // from each
		f.change(func(d *webhook.Delivery) {
			if d.Coalesce.Max > 0 && d.Coalesce.Max < d.Coalesce.Quiet {
				d.Coalesce = webhook.Coalesce{Quiet: d.Coalesce.Max}
			}
		})
	}},
	{"a put is told", func(f *fault) {
		tell := f.signal()
		settle := f.settle
		f.settle = func(ctx context.Context, c webhook.Claim, o webhook.Outcome) (webhook.State, error) {
			defer tell()
			return settle(ctx, c, o)
		}
	}},
	{"a settlement that frees a key is told", func(f *fault) { // only what is put back
		tell := f.signal()
		put, settle := f.put, f.settle
		f.put = func(ctx context.Context, d *webhook.Delivery) error {
			defer tell()
			return put(ctx, d)
		}
		f.settle = func(ctx context.Context, c webhook.Claim, o webhook.Outcome) (webhook.State, error) {
			if o.State == webhook.Waiting {
				defer tell()
			}
			return settle(ctx, c, o)
		}
	}},
	{"what is waiting, blocked or claimed is pending", func(f *fault) { // looks at heads only
		f.pending = func(ctx context.Context, most int) (int, error) {
			n, err := f.MemInbox.Pending(ctx, most)
			return min(n, 2), err
		}
	}},
}
