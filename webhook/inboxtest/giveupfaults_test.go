package inboxtest

import (
	"context"
	"errors"

	"github.com/hookhouse/hookhouse/webhook"
)

// giveUpFaults break the laws of GiveUp.
var giveUpFaults = []brokenLaw{
	{"GiveUp ends the unfinished deliveries that match, with the Note as their Reason", func(f *fault) { // without why
		f.changeGiveUps(func(_ *webhook.Filter, _ *webhook.State, n *webhook.Note) { n.Why = "" })
	}},
	{"GiveUp ends and counts any number of deliveries of any ordering key", func(f *fault) { // the first ten
		f.changeGiveUps(func(filter *webhook.Filter, _ *webhook.State, _ *webhook.Note) {
			if filter.Limit == 0 {
				filter.Limit = 10
			}
		})
	}},
	{"GiveUp skips claimed and finished deliveries", func(f *fault) { // it takes the claim
		f.changeGiveUps(func(filter *webhook.Filter, _ *webhook.State, _ *webhook.Note) {
			for _, r := range f.stored(*filter) {
				if r.State == webhook.Claimed && r.Delivery.OrderingKey != "" {
					_ = f.MemInbox.Release(context.Background(), r.Delivery.UID)
				}
			}
		})
	}},
	{"a delivery that comes to an ordering key after GiveUp is claimed", func(f *fault) { // it is given up too
		ended := ""
		f.changeGiveUps(func(filter *webhook.Filter, _ *webhook.State, _ *webhook.Note) {
			ended = filter.OrderingKey
		})
		f.put = func(ctx context.Context, d *webhook.Delivery) error {
			err := f.MemInbox.Put(ctx, d)
			if d.OrderingKey == ended && ended != "" {
				_ = f.MemInbox.Bury(ctx, d.UID, someone)
			}
			return err
		}
	}},
	{"the other deliveries of an ordering key run in order after GiveUp", func(f *fault) { // they are given up
		f.changeGiveUps(func(filter *webhook.Filter, _ *webhook.State, _ *webhook.Note) {
			if filter.OrderingKey != "" {
				filter.Type = ""
			}
		})
	}},
	{"GiveUp with a Limit ends no more than that", func(f *fault) {
		f.changeGiveUps(func(filter *webhook.Filter, _ *webhook.State, _ *webhook.Note) {
			if !filter.Bodies {
				filter.Limit = min(filter.Limit, 0)
			}
		})
	}},
	{"a delivery that was given up can be replayed", func(f *fault) { // it cannot
		gone := ""
		f.changeGiveUps(func(filter *webhook.Filter, _ *webhook.State, _ *webhook.Note) { gone = filter.UID })
		f.changeReplays(func(filter *webhook.Filter, _ *webhook.Note) {
			if filter.UID == gone && gone != "" {
				filter.UID = "none"
			}
		})
	}},
	{"a settlement that is repeated after GiveUp returns what it led to", func(f *fault) { // the state now
		f.changeStates(func(c webhook.Claim, state *webhook.State) {
			if r, err := f.MemInbox.Get(context.Background(), c.Delivery.UID); err == nil && r.State == webhook.Ignored && r.Reason == "given up by ann: the cause is fixed" {
				*state = r.State
			}
		})
	}},
	{"GiveUp of an unknown UID is ErrNotFound", func(f *fault) { f.hideOfGiveUp(webhook.ErrNotFound) }},
	{"GiveUp of a claimed delivery is ErrState", func(f *fault) { f.hideOfGiveUp(webhook.ErrState) }},
	{"GiveUp without By is refused", func(f *fault) {
		f.changeGiveUps(func(_ *webhook.Filter, _ *webhook.State, n *webhook.Note) {
			if n.By == "" {
				n.By = "nobody"
			}
		})
	}},
	{"GiveUp with a Filter that selects all is refused", func(f *fault) {
		f.changeGiveUps(func(filter *webhook.Filter, _ *webhook.State, _ *webhook.Note) {
			if filter.Limit == 10 {
				filter.Source = someSource
			}
		})
	}},
	{"GiveUp with another state than dead and ignored is refused", func(f *fault) { // it is ignored
		f.changeGiveUps(func(_ *webhook.Filter, as *webhook.State, _ *webhook.Note) {
			if *as != webhook.Dead {
				*as = webhook.Ignored
			}
		})
	}},
	{"a context that has ended gives nothing up", func(f *fault) {
		f.admin.giveUp = func(ctx context.Context, filter webhook.Filter, as webhook.State, n webhook.Note) (int, error) {
			return f.MemInbox.GiveUp(context.WithoutCancel(ctx), filter, as, n)
		}
	}},
	{"GiveUp closes the channel of Changed", func(f *fault) { f.signalAllBut("GiveUp") }},
}

// changeGiveUps lets GiveUp be of others than were asked for.
func (f *fault) changeGiveUps(change func(filter *webhook.Filter, as *webhook.State, n *webhook.Note)) {
	f.admin.giveUp = func(ctx context.Context, filter webhook.Filter, as webhook.State, n webhook.Note) (int, error) {
		if ctx.Err() == nil {
			change(&filter, &as, &n)
		}
		return f.MemInbox.GiveUp(ctx, filter, as, n)
	}
}

// hideOfGiveUp lets GiveUp return no error where it should return this one.
func (f *fault) hideOfGiveUp(hidden error) {
	f.admin.giveUp = func(ctx context.Context, filter webhook.Filter, as webhook.State, n webhook.Note) (int, error) {
		done, err := f.MemInbox.GiveUp(ctx, filter, as, n)
		if errors.Is(err, hidden) {
			err = nil
		}
		return done, err
	}
}
