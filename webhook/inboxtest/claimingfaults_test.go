package inboxtest

import (
	"context"

	"github.com/hookhouse/hookhouse/webhook"
)

// claimingFaults break the laws of MaxBytes and Except. The comment behind each law
// is the fault.
var claimingFaults = []brokenLaw{
	{"the bodies of one call have MaxBytes in total at most", func(f *fault) { // checks the size before it adds a body
		f.changeOptions(func(o *webhook.ClaimOptions) { o.MaxBytes += o.MaxBytes / 5 })
	}},
	{"the first delivery is claimed even if its body exceeds MaxBytes", func(f *fault) { // does not count its size
		f.claim = func(ctx context.Context, o webhook.ClaimOptions) ([]webhook.Claim, error) {
			claims, err := f.MemInbox.Claim(ctx, o)
			if o.N == plenty && len(claims) == 1 && o.MaxBytes > 0 && int64(len(claims[0].Delivery.Body)) > o.MaxBytes {
				more, _ := f.MemInbox.Claim(ctx, o)
				claims = append(claims, more...)
			}
			return claims, err
		}
	}},
	{"younger deliveries do not overtake one that exceeds MaxBytes", func(f *fault) { // claims younger deliveries that fit
		f.claim = func(ctx context.Context, o webhook.ClaimOptions) ([]webhook.Claim, error) {
			claims, err := f.MemInbox.Claim(ctx, o)
			if len(claims) == 0 || len(claims) == o.N || o.MaxBytes == 0 {
				return claims, err
			}
			left := o.MaxBytes
			for _, c := range claims {
				left -= int64(len(c.Delivery.Body))
			}
			more, _ := f.MemInbox.Claim(ctx, webhook.ClaimOptions{N: plenty, Lease: o.Lease})
			for _, c := range more {
				if int64(len(c.Delivery.Body)) <= left {
					claims = append(claims, c)
				} else if _, err := f.MemInbox.Settle(ctx, c, webhook.Outcome{State: webhook.Waiting, Uncounted: true}); err != nil {
					return nil, err
				}
			}
			return claims, err
		}
	}},
	{"a MaxBytes of zero means 8 MiB", func(f *fault) { // no limit
		f.changeOptions(func(o *webhook.ClaimOptions) {
			if o.MaxBytes == 0 {
				o.MaxBytes = 1 << 40
			}
		})
	}},
	{"a delivery in Except is not claimed", func(f *fault) { // ignores all except the first
		f.changeOptions(func(o *webhook.ClaimOptions) { o.Except = o.Except[:min(len(o.Except), 1)] })
	}},
	{"a delivery in Except is not claimed after its lease expired", func(f *fault) { // ignores Except for expired leases
		claimed := f.fences()
		claim := f.claim
		f.claim = func(ctx context.Context, o webhook.ClaimOptions) ([]webhook.Claim, error) {
			if len(o.Except) == 1 && claimed[o.Except[0]] > 0 {
				o.Except = nil
			}
			return claim(ctx, o)
		}
	}},
	{"a delivery in Except blocks its ordering key", func(f *fault) { // lets the next one go ahead
		claimed := f.fences()
		claim := f.claim
		f.claim = func(ctx context.Context, o webhook.ClaimOptions) ([]webhook.Claim, error) {
			if len(o.Except) == 1 && claimed[o.Except[0]] == 0 {
				head, err := claim(ctx, webhook.ClaimOptions{N: 1})
				if err != nil {
					return nil, err
				}
				outOfOrder := webhook.Outcome{State: webhook.Waiting, Delay: long, RetryOutOfOrder: true}
				if _, err := f.MemInbox.Settle(ctx, head[0], outOfOrder); err != nil {
					return nil, err
				}
			}
			return claim(ctx, o)
		}
	}},
}

// changeOptions calls change for the options of each Claim.
func (f *fault) changeOptions(change func(o *webhook.ClaimOptions)) {
	f.claim = func(ctx context.Context, o webhook.ClaimOptions) ([]webhook.Claim, error) {
		change(&o)
		return f.MemInbox.Claim(ctx, o)
	}
}
