package inboxtest

import (
	"context"
	"errors"

	"github.com/hookhouse/hookhouse/webhook"
)

// discardFaults break the laws of Discard.
var discardFaults = []brokenLaw{
	{"Discard deletes the finished deliveries that match", func(f *fault) { // of any state
		f.changeDiscards(func(filter *webhook.Filter, _ *webhook.Note) {
			if filter.OrderingKey != "" {
				filter.States = nil
			}
		})
	}},
	{"Discard deletes and counts any number of deliveries", func(f *fault) { // the first ten
		f.changeDiscards(func(filter *webhook.Filter, _ *webhook.Note) {
			if filter.Limit == 0 {
				filter.Limit = 10
			}
		})
	}},
	{"Discard skips unfinished deliveries", func(f *fault) { // it buries them
		f.changeDiscards(func(filter *webhook.Filter, _ *webhook.Note) {
			for _, r := range f.stored(*filter) {
				if r.State == webhook.Blocked {
					_ = f.MemInbox.Bury(context.Background(), r.Delivery.UID, someone)
				}
			}
		})
	}},
	{"Discard with a Limit deletes the newest finished deliveries", func(f *fault) { // all
		f.changeDiscards(func(filter *webhook.Filter, _ *webhook.Note) {
			if filter.Source != "" {
				filter.Limit = 0
			}
		})
	}},
	{"dedup keys of a discarded delivery are still known", func(f *fault) { // they are deleted
		done := false
		f.changeDiscards(func(*webhook.Filter, *webhook.Note) { done = true })
		f.change(func(d *webhook.Delivery) {
			if done && d.ID == "" {
				d.DedupKeys = nil
			}
		})
	}},
	{"a redelivery of a discarded dead delivery is stored", func(f *fault) { // it is a duplicate
		var discarded string
		f.changeDiscards(func(filter *webhook.Filter, _ *webhook.Note) { discarded = filter.UID })
		f.put = func(ctx context.Context, d *webhook.Delivery) error {
			if _, err := f.MemInbox.Get(ctx, discarded); err != nil && discarded != "" && d.ID != "" {
				return &webhook.DuplicateError{State: webhook.Dead}
			}
			return f.MemInbox.Put(ctx, d)
		}
	}},
	{"a redelivery of a discarded dead delivery is stored although another one has its UID", func(f *fault) { // that is revived
		var discarded string
		f.changeDiscards(func(filter *webhook.Filter, _ *webhook.Note) { discarded = filter.UID })
		f.put = func(ctx context.Context, d *webhook.Delivery) error {
			if _, err := f.MemInbox.Get(ctx, discarded); err == nil && d.ID != "" {
				return &webhook.DuplicateError{UID: discarded, State: webhook.Dead}
			}
			return f.MemInbox.Put(ctx, d)
		}
	}},
	{"a discard of an unknown UID is ErrNotFound", func(f *fault) { f.hideOfDiscard(webhook.ErrNotFound) }},
	{"a discard of an unfinished delivery is ErrState", func(f *fault) { f.hideOfDiscard(webhook.ErrState) }},
	{"a discard without By is refused", func(f *fault) {
		f.changeDiscards(func(_ *webhook.Filter, n *webhook.Note) {
			if n.By == "" {
				n.By = "nobody"
			}
		})
	}},
	{"a discard with a Filter that selects all is refused", func(f *fault) { // if it has no Limit
		f.changeDiscards(func(filter *webhook.Filter, _ *webhook.Note) {
			if filter.Limit == 10 {
				filter.Source = someSource
			}
		})
	}},
	{"a context that has ended discards nothing", func(f *fault) {
		f.admin.discard = func(ctx context.Context, filter webhook.Filter, n webhook.Note) (int, error) {
			return f.MemInbox.Discard(context.WithoutCancel(ctx), filter, n)
		}
	}},
}

// changeDiscards lets a discard be of others than were asked for.
func (f *fault) changeDiscards(change func(filter *webhook.Filter, n *webhook.Note)) {
	f.admin.discard = func(ctx context.Context, filter webhook.Filter, n webhook.Note) (int, error) {
		if ctx.Err() == nil {
			change(&filter, &n)
		}
		return f.MemInbox.Discard(ctx, filter, n)
	}
}

// hideOfDiscard lets a discard return no error where it should return this one.
func (f *fault) hideOfDiscard(hidden error) {
	f.admin.discard = func(ctx context.Context, filter webhook.Filter, n webhook.Note) (int, error) {
		done, err := f.MemInbox.Discard(ctx, filter, n)
		if errors.Is(err, hidden) {
			err = nil
		}
		return done, err
	}
}
