package inboxtest

import (
	"context"
	"math"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// nextDueFaults break the laws of a NextDuer.
var nextDueFaults = []brokenLaw{
	{"NextDue of an inbox without deliveries is the largest duration", func(f *fault) { // a minute
		f.changeNextDue(func(o *webhook.ClaimOptions, wait *time.Duration) {
			if *wait == math.MaxInt64 && o.Types == nil && o.Except == nil && f.count(webhook.Waiting) == 0 {
				*wait = time.Minute
			}
		})
	}},
	{"NextDue is not positive while a delivery can be claimed", func(f *fault) {
		f.changeNextDue(func(_ *webhook.ClaimOptions, wait *time.Duration) {
			if *wait <= 0 {
				*wait = time.Minute
			}
		})
	}},
	{"when NextDue is over the first delivery that waits can be claimed", func(f *fault) { // half of it
		f.changeNextDue(func(_ *webhook.ClaimOptions, wait *time.Duration) {
			if *wait <= 2*short && f.count(webhook.Claimed) == 0 {
				*wait /= 2
			}
		})
	}},
	{"when NextDue is over a claim can be claimed whose lease ends first", func(f *fault) { // it has no claims
		f.changeNextDue(func(_ *webhook.ClaimOptions, wait *time.Duration) {
			if f.count(webhook.Claimed) > 0 {
				*wait = math.MaxInt64
			}
		})
	}},
	{"NextDue looks at the types that are asked for", func(f *fault) { // at all if none is
		f.changeNextDue(func(o *webhook.ClaimOptions, wait *time.Duration) {
			if o.Types != nil && len(o.Types) == 0 {
				*wait = 0
			}
		})
	}},
	{"NextDue leaves out what a claim leaves out", func(f *fault) {
		f.changeNextDue(func(o *webhook.ClaimOptions, wait *time.Duration) {
			if len(o.Except) > 0 {
				*wait = 0
			}
		})
	}},
	{"NextDue leaves out blocked deliveries", func(f *fault) {
		f.changeNextDue(func(_ *webhook.ClaimOptions, wait *time.Duration) {
			if f.count(webhook.Blocked) > 0 {
				*wait = 0
			}
		})
	}},
	{"a lease that is cut short closes the channel of Changed", func(f *fault) {
		f.signalAllBut("Extend")
	}},
	{"a context that has ended asks for no NextDue", func(f *fault) {
		f.nextDue = func(ctx context.Context, o webhook.ClaimOptions) (time.Duration, error) {
			return f.MemInbox.NextDue(context.WithoutCancel(ctx), o)
		}
	}},
}

// nextDueOfAdminFaults break the law of a NextDuer that is an Admin.
var nextDueOfAdminFaults = []brokenLaw{
	{"NextDue leaves out paused types", func(f *fault) {
		f.changeNextDue(func(_ *webhook.ClaimOptions, wait *time.Duration) {
			if st, err := f.MemInbox.Stats(context.Background()); err == nil && len(st.Paused) > 0 {
				*wait = 0
			}
		})
	}},
}

// changeNextDue makes what NextDue returns different.
func (f *fault) changeNextDue(change func(o *webhook.ClaimOptions, wait *time.Duration)) {
	f.nextDue = func(ctx context.Context, o webhook.ClaimOptions) (time.Duration, error) {
		wait, err := f.MemInbox.NextDue(ctx, o)
		if err == nil {
			change(&o, &wait)
		}
		return wait, err
	}
}
