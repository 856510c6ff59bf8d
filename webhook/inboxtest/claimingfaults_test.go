package inboxtest

import (
	"context"

	"github.com/hookhouse/hookhouse/webhook"
)

// claimingFaults break the laws of what one claim may take.
var claimingFaults = []brokenLaw{
	{"the bodies of one claim stay within MaxBytes", func(f *fault) { // asks before it adds
		f.changeOptions(func(o *webhook.ClaimOptions) { o.MaxBytes += o.MaxBytes / 5 })
	}},
	{"the first is claimed whatever its size", func(f *fault) { // and does not count
		f.claim = func(ctx context.Context, o webhook.ClaimOptions) ([]webhook.Claim, error) {
			claims, err := f.MemInbox.Claim(ctx, o)
			if o.N == plenty && len(claims) == 1 && o.MaxBytes > 0 && int64(len(claims[0].Delivery.Body)) > o.MaxBytes {
				more, _ := f.MemInbox.Claim(ctx, o)
				claims = append(claims, more...)
			}
			return claims, err
		}
	}},
	{"what does not fit into MaxBytes is not passed by younger ones", func(f *fault) { // looks for what fits
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
	{"MaxBytes of zero means 8 MiB", func(f *fault) { // no bound
		f.changeOptions(func(o *webhook.ClaimOptions) {
			if o.MaxBytes == 0 {
				o.MaxBytes = 1 << 40
			}
		})
	}},
	{"what is excepted is not claimed", func(f *fault) { // only the first
		f.changeOptions(func(o *webhook.ClaimOptions) { o.Except = o.Except[:min(len(o.Except), 1)] })
	}},
	{"a lease that ran out is not claimed again where it is excepted", func(f *fault) { // looks at what waits only
		claimed := f.fences()
		claim := f.claim
		f.claim = func(ctx context.Context, o webhook.ClaimOptions) ([]webhook.Claim, error) {
			if len(o.Except) == 1 && claimed[o.Except[0]] > 0 {
				o.Except = nil
			}
			return claim(ctx, o)
		}
	}},
	{"what is excepted holds its key", func(f *fault) { // steps aside
		claimed := f.fences()
		claim := f.claim
		f.claim = func(ctx context.Context, o webhook.ClaimOptions) ([]webhook.Claim, error) {
			if len(o.Except) == 1 && claimed[o.Except[0]] == 0 {
				head, err := claim(ctx, webhook.ClaimOptions{N: 1})
				if err != nil {
					return nil, err
				}
				aside := webhook.Outcome{State: webhook.Waiting, Delay: long, RetryOutOfOrder: true}
				if _, err := f.MemInbox.Settle(ctx, head[0], aside); err != nil {
					return nil, err
				}
			}
			return claim(ctx, o)
		}
	}},
}

// changeOptions makes what is asked for different.
func (f *fault) changeOptions(change func(o *webhook.ClaimOptions)) {
	f.claim = func(ctx context.Context, o webhook.ClaimOptions) ([]webhook.Claim, error) {
		change(&o)
		return f.MemInbox.Claim(ctx, o)
	}
}
