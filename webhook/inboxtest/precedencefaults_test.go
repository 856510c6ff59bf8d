package inboxtest

import (
	"context"
	"slices"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// precedenceFaults break the laws of live deliveries, replayed ones and rates.
var precedenceFaults = []brokenLaw{
	{"a live delivery is claimed before a replayed one", func(f *fault) { // in one call the older first
		f.claim = func(ctx context.Context, o webhook.ClaimOptions) ([]webhook.Claim, error) {
			claims, err := f.MemInbox.Claim(ctx, o)
			if len(claims) == 2 && f.isReplay(claims[1].Delivery.UID) {
				slices.Reverse(claims)
			}
			return claims, err
		}
	}},
	{"a replayed delivery is claimed if no live one is due", func(f *fault) { // only if no live one waits
		f.claim = func(ctx context.Context, o webhook.ClaimOptions) ([]webhook.Claim, error) {
			replays := f.replays(webhook.Waiting)
			if f.count(webhook.Waiting) > len(replays) && len(o.Types) == 0 {
				for _, r := range f.stored(webhook.Filter{States: []webhook.State{webhook.Waiting}}) {
					if !r.Replayed && r.Attempt > 0 && time.Until(r.Due) > short {
						o.Except = append(o.Except, replays...)
					}
				}
			}
			return f.MemInbox.Claim(ctx, o)
		}
	}},
	{"live deliveries of types that are not asked for hold back no replayed one", func(f *fault) { // they do
		f.claim = func(ctx context.Context, o webhook.ClaimOptions) ([]webhook.Claim, error) {
			if replays := f.replays(webhook.Waiting); o.Types != nil && f.count(webhook.Waiting) > len(replays) {
				o.Except = append(o.Except, replays...)
			}
			return f.MemInbox.Claim(ctx, o)
		}
	}},
	{"a live delivery waits for the replayed one before it in its ordering key", func(f *fault) { // a replayed head loses its ordering key
		f.put = func(ctx context.Context, d *webhook.Delivery) error {
			own := *d
			if len(f.replays(webhook.Waiting)) > 0 && d.OrderingKey == "key" && len(f.stored(webhook.Filter{})) == 1 &&
				time.Until(f.stored(webhook.Filter{})[0].Due) <= 0 {
				own.OrderingKey = ""
			}
			return f.MemInbox.Put(ctx, &own)
		}
	}},
	{"a retry of a replayed delivery stands behind live ones", func(f *fault) { // it is live
		f.settle = func(ctx context.Context, c webhook.Claim, o webhook.Outcome) (webhook.State, error) {
			s, err := f.MemInbox.Settle(ctx, c, o)
			if o.State == webhook.Waiting && !o.Uncounted && f.isReplay(c.Delivery.UID) {
				_ = f.MemInbox.Release(ctx, c.Delivery.UID)
			}
			return s, err
		}
	}},
	{"a lost claim of a replayed delivery stands behind live ones", func(f *fault) { // it comes first
		f.claim = func(ctx context.Context, o webhook.ClaimOptions) ([]webhook.Claim, error) {
			for _, r := range f.stored(webhook.Filter{States: []webhook.State{webhook.Claimed}}) {
				if r.Replayed && !time.Now().Before(r.Expires) {
					for _, live := range f.stored(webhook.Filter{States: []webhook.State{webhook.Waiting}}) {
						o.Except = append(o.Except, live.Delivery.UID)
					}
				}
			}
			return f.MemInbox.Claim(ctx, o)
		}
	}},
	{"a replay that a redelivery makes run again is live", func(f *fault) { // it stands behind
		f.claim = func(ctx context.Context, o webhook.ClaimOptions) ([]webhook.Claim, error) {
			if len(f.replays(webhook.Waiting)) > 0 {
				for _, r := range f.stored(webhook.Filter{States: []webhook.State{webhook.Waiting}}) {
					if r.Revived > 0 {
						o.Except = append(o.Except, r.Delivery.UID)
					}
				}
			}
			return f.MemInbox.Claim(ctx, o)
		}
	}},
	{"a released replay is live", func(f *fault) { // not if it was claimed
		released := make(map[string]bool)
		f.admin.release = func(ctx context.Context, uid string) error {
			released[uid] = f.isReplay(uid) && f.count(webhook.Claimed) > 0
			return f.MemInbox.Release(ctx, uid)
		}
		f.claim = func(ctx context.Context, o webhook.ClaimOptions) ([]webhook.Claim, error) {
			for uid := range released {
				if released[uid] && len(f.replays(webhook.Waiting)) > 0 {
					o.Except = append(o.Except, uid)
				}
			}
			return f.MemInbox.Claim(ctx, o)
		}
	}},
	{"a Record says whether the run is a replay", func(f *fault) { // Get does not
		f.changeRecords(func(r *webhook.Record) { r.Replayed = false })
	}},
	{"ReplayEvery makes deliveries due one after the other", func(f *fault) { // two and two
		f.changeLists(func(_ webhook.Filter, list []webhook.Record) []webhook.Record {
			if len(list) == 5 && list[0].Due.Sub(list[1].Due) == long {
				list[0].Due = list[1].Due
			}
			return list
		})
	}},
	{"ReplayEvery with zero is Replay", func(f *fault) { // zero means a second
		f.changeRates(func(_ *webhook.Filter, _ *webhook.Note, every *time.Duration) {
			if *every == 0 {
				*every = time.Second
			}
		})
	}},
	{"deliveries of one ordering key that are replayed at a rate run in order", func(f *fault) { // one that waits for its time lets younger ones run first
		f.put = func(ctx context.Context, d *webhook.Delivery) error {
			own := *d
			if waiting := f.stored(webhook.Filter{OrderingKey: "key"}); len(waiting) == 2 && waiting[0].Replayed {
				own.OrderingKey = ""
			}
			return f.MemInbox.Put(ctx, &own)
		}
	}},
	{"a replay at a rate below zero or above an hour is refused", func(f *fault) { // only below
		f.changeRates(func(_ *webhook.Filter, _ *webhook.Note, every *time.Duration) { *every = min(*every, long) })
	}},
	{"a replay at a rate needs By and a Filter that does not select all", func(f *fault) { // only the Filter
		f.changeRates(func(_ *webhook.Filter, n *webhook.Note, _ *time.Duration) { n.By = "nobody" })
	}},
}

// isReplay reports whether the delivery with the UID is replayed.
func (f *fault) isReplay(uid string) bool {
	r, err := f.MemInbox.Get(context.Background(), uid)
	return err == nil && r.Replayed
}

// replays returns the UIDs of the replayed deliveries in the state.
func (f *fault) replays(s webhook.State) (uids []string) {
	for _, r := range f.stored(webhook.Filter{States: []webhook.State{s}}) {
		if r.Replayed {
			uids = append(uids, r.Delivery.UID)
		}
	}
	return uids
}

// changeRates lets a replay at a rate be another than was asked for.
func (f *fault) changeRates(change func(filter *webhook.Filter, n *webhook.Note, every *time.Duration)) {
	f.admin.every = func(ctx context.Context, filter webhook.Filter, n webhook.Note, every time.Duration) (int, error) {
		change(&filter, &n, &every)
		return f.MemInbox.ReplayEvery(ctx, filter, n, every)
	}
}
