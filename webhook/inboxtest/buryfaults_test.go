package inboxtest

import (
	"context"
	"errors"
	"slices"

	"github.com/hookhouse/hookhouse/webhook"
)

// buryFaults break the laws of Bury.
var buryFaults = []brokenLaw{
	{"a buried delivery is dead, with the Note as its Reason", func(f *fault) { // without why
		f.admin.bury = func(ctx context.Context, uid string, n webhook.Note) error {
			n.Why = ""
			return f.MemInbox.Bury(ctx, uid, n)
		}
	}},
	{"the next of the ordering key of a buried delivery takes its place", func(f *fault) { // it is blocked
		var hidden []string
		f.buries(func(_ context.Context, r webhook.Record) (error, bool) {
			for _, b := range f.stored(webhook.Filter{States: []webhook.State{webhook.Blocked}}) {
				if r.State == webhook.Waiting {
					hidden = append(hidden, b.Delivery.UID)
				}
			}
			return nil, false
		})
		f.claim = func(ctx context.Context, o webhook.ClaimOptions) ([]webhook.Claim, error) {
			o.Except = append(o.Except, hidden...)
			return f.MemInbox.Claim(ctx, o)
		}
	}},
	{"a blocked delivery can be buried", func(f *fault) { // if the head is claimed
		f.buries(func(_ context.Context, r webhook.Record) (error, bool) {
			return webhook.ErrState, r.State == webhook.Blocked && f.count(webhook.Claimed) == 0
		})
	}},
	{"a blocked delivery can be buried while the head of its ordering key is claimed", func(f *fault) { // only if it is not
		f.buries(func(_ context.Context, r webhook.Record) (error, bool) {
			return webhook.ErrState, r.State == webhook.Blocked && f.count(webhook.Claimed) > 0
		})
	}},
	{"a claimed delivery cannot be buried", func(f *fault) { // its claim is taken
		f.buries(func(ctx context.Context, r webhook.Record) (error, bool) {
			if r.State == webhook.Claimed {
				_ = f.MemInbox.Release(ctx, r.Delivery.UID)
			}
			return nil, false
		})
	}},
	{"a finished delivery cannot be buried", func(f *fault) { // if it is dead, it can
		f.buries(func(_ context.Context, r webhook.Record) (error, bool) { return nil, r.State == webhook.Dead })
	}},
	{"a burial of an unknown UID is ErrNotFound", func(f *fault) { // it is finished
		f.admin.bury = func(ctx context.Context, uid string, n webhook.Note) error {
			err := f.MemInbox.Bury(ctx, uid, n)
			if errors.Is(err, webhook.ErrNotFound) {
				err = webhook.ErrState
			}
			return err
		}
	}},
	{"a buried delivery can be replayed", func(f *fault) { // it cannot
		buried := make(map[string]bool)
		f.buries(func(_ context.Context, r webhook.Record) (error, bool) {
			buried[r.Delivery.UID] = true
			return nil, false
		})
		f.admin.replay = func(ctx context.Context, filter webhook.Filter, n webhook.Note) (int, error) {
			if buried[filter.UID] {
				return 0, webhook.ErrState
			}
			return f.MemInbox.Replay(ctx, filter, n)
		}
	}},
	{"a redelivery of a buried delivery makes that run again", func(f *fault) { // it remains dead
		f.changeDuplicates(func(d *webhook.Delivery, known *webhook.DuplicateError) {
			if slices.Contains(d.DedupKeys, "dedup key of a buried one") {
				known.Revived = false
			}
		})
	}},
	{"a settlement that is repeated after a burial returns what it led to", func(f *fault) { // the state now
		f.changeStates(func(c webhook.Claim, state *webhook.State) {
			if r, err := f.MemInbox.Get(context.Background(), c.Delivery.UID); err == nil && r.State == webhook.Dead && r.Reason == "buried by ann: the cause is fixed" {
				*state = r.State
			}
		})
	}},
	{"a burial without By is refused", func(f *fault) {
		f.admin.bury = func(ctx context.Context, uid string, n webhook.Note) error {
			if n.By == "" {
				n.By = "nobody"
			}
			return f.MemInbox.Bury(ctx, uid, n)
		}
	}},
	{"a context that has ended buries nothing", func(f *fault) {
		f.admin.bury = func(ctx context.Context, uid string, n webhook.Note) error {
			return f.MemInbox.Bury(context.WithoutCancel(ctx), uid, n)
		}
	}},
	{"Bury closes the channel of Changed", func(f *fault) { f.signalAllBut("Bury") }},
}

// buries calls instead before each burial, and returns its error if that returns true.
func (f *fault) buries(instead func(ctx context.Context, r webhook.Record) (error, bool)) {
	f.admin.bury = func(ctx context.Context, uid string, n webhook.Note) error {
		if r, err := f.MemInbox.Get(ctx, uid); err == nil {
			if err, done := instead(ctx, r); done {
				return err
			}
		}
		return f.MemInbox.Bury(ctx, uid, n)
	}
}
