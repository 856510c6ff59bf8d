package sqlinbox

import (
	"context"
	"slices"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// MultiObserver returns an Observer that calls each of the given ones, in order. It
// skips those that are nil. A panic in one is logged, and the others are still called.
// The fields of the given Observers are read at each event.
func MultiObserver(os ...*Observer) *Observer {
	all := observers(slices.DeleteFunc(slices.Clone(os), func(o *Observer) bool { return o == nil }))
	return &Observer{
		Stored: func(ctx context.Context, d *webhook.Delivery, took time.Duration) {
			all.each(func(o *Observer) {
				if o.Stored != nil {
					o.Stored(ctx, d, took)
				}
			})
		},
		Duplicate: func(ctx context.Context, d *webhook.Delivery, known *webhook.DuplicateError) {
			all.each(func(o *Observer) {
				if o.Duplicate != nil {
					o.Duplicate(ctx, d, known)
				}
			})
		},
		Superseded: func(ctx context.Context, uid string, by *webhook.Delivery) {
			all.each(func(o *Observer) {
				if o.Superseded != nil {
					o.Superseded(ctx, uid, by)
				}
			})
		},
		Refused: func(ctx context.Context, d *webhook.Delivery, err error) {
			all.each(func(o *Observer) {
				if o.Refused != nil {
					o.Refused(ctx, d, err)
				}
			})
		},
		Batch: func(puts, bytes int, took time.Duration, err error) {
			all.each(func(o *Observer) {
				if o.Batch != nil {
					o.Batch(puts, bytes, took, err)
				}
			})
		},
		Swept: func(ctx context.Context, n int) {
			all.each(func(o *Observer) {
				if o.Swept != nil {
					o.Swept(ctx, n)
				}
			})
		},
		Repaired: func(ctx context.Context, source, key string) {
			all.each(func(o *Observer) {
				if o.Repaired != nil {
					o.Repaired(ctx, source, key)
				}
			})
		},
	}
}

// observers are those that a MultiObserver calls; none is nil.
type observers []*Observer

// each calls f for each Observer.
func (os observers) each(f func(o *Observer)) {
	for _, o := range os {
		func() {
			defer contain()
			f(o)
		}()
	}
}
