package inboxtest

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// replayFaults break the laws of Replay.
var replayFaults = []brokenLaw{
	{"replayed deliveries run oldest first", func(f *fault) { // each page newest first
		f.admin.replay = func(ctx context.Context, filter webhook.Filter, n webhook.Note) (int, error) {
			done := 0
			var list []string
			for _, r := range f.stored(filter) {
				list = append(list, r.Delivery.UID)
			}
			if len(list) < 50 {
				return f.MemInbox.Replay(ctx, filter, n)
			}
			for _, uid := range list {
				m, err := f.MemInbox.Replay(ctx, webhook.Filter{UID: uid}, n)
				if done += m; err != nil {
					return done, err
				}
			}
			return done, nil
		}
	}},
	{"a replayed delivery runs after the unfinished ones of its ordering key", func(f *fault) { // before
		first := make(map[string]bool)
		f.admin.replay = func(ctx context.Context, filter webhook.Filter, n webhook.Note) (int, error) {
			if st, _ := f.MemInbox.Stats(ctx); st.Count[webhook.Blocked] > 0 && filter.UID != "" {
				first[filter.UID] = true
				return 1, nil
			}
			return f.MemInbox.Replay(ctx, filter, n)
		}
		f.claim = func(ctx context.Context, o webhook.ClaimOptions) ([]webhook.Claim, error) {
			for uid := range first {
				delete(first, uid)
				r, _ := f.MemInbox.Get(ctx, uid)
				return []webhook.Claim{{Delivery: r.Delivery, Fence: r.Fence, Attempt: 1}}, nil
			}
			return f.MemInbox.Claim(ctx, o)
		}
	}},
	{"a replayed delivery has a new Seq", func(f *fault) { // the list has it where it was
		f.changeLists(func(filter webhook.Filter, list []webhook.Record) []webhook.Record {
			if len(list) == 2 && list[0].State == webhook.Waiting && list[1].State == webhook.Done {
				slices.Reverse(list)
			}
			return list
		})
	}},
	{"a replay counts attempts from zero and keeps the fence", func(f *fault) { // from where it was
		f.changeRecords(func(r *webhook.Record) {
			if len(r.Replays) == 1 && len(r.Attempts) == 2 && r.State == webhook.Waiting {
				r.Attempt = 2
			}
		})
	}},
	{"deduplication does not stop a replay", func(f *fault) { // of what has dedup keys
		f.admin.replay = func(ctx context.Context, filter webhook.Filter, n webhook.Note) (int, error) {
			if r, err := f.MemInbox.Get(ctx, filter.UID); err == nil && slices.Contains(r.Delivery.DedupKeys, "dedup key") {
				return 1, nil
			}
			return f.MemInbox.Replay(ctx, filter, n)
		}
	}},
	{"a delivery in any final state can be replayed", func(f *fault) { // but not what was superseded
		f.admin.replay = func(ctx context.Context, filter webhook.Filter, n webhook.Note) (int, error) {
			if r, err := f.MemInbox.Get(ctx, filter.UID); err == nil && r.State == webhook.Superseded {
				return 0, webhook.ErrState
			}
			return f.MemInbox.Replay(ctx, filter, n)
		}
	}},
	{"a replay skips unfinished deliveries", func(f *fault) { // it takes claims from their workers
		f.admin.replay = func(ctx context.Context, filter webhook.Filter, n webhook.Note) (int, error) {
			claimed := filter
			claimed.States = []webhook.State{webhook.Claimed}
			for _, r := range f.stored(claimed) {
				if filter.UID == "" {
					_ = f.MemInbox.Release(ctx, r.Delivery.UID)
				}
			}
			return f.MemInbox.Replay(ctx, filter, n)
		}
	}},
	{"a replay skips one of a burst while a younger one is unfinished", func(f *fault) { // and counts it
		f.admin.replay = func(ctx context.Context, filter webhook.Filter, n webhook.Note) (int, error) {
			done, err := f.MemInbox.Replay(ctx, filter, n)
			if done == 0 && err == nil && len(filter.States) == 1 {
				done = 1
			}
			return done, err
		}
	}},
	{"only the newest delivery of a replayed burst runs", func(f *fault) { // it hears of none
		f.changeRecords(func(r *webhook.Record) {
			if r.State == webhook.Superseded && len(r.Replays) == 1 {
				r.State = webhook.Dead
			}
		})
	}},
	{"a replay with a Limit replays the newest finished deliveries", func(f *fault) { // the newest, and of them what is finished
		f.admin.replay = func(ctx context.Context, filter webhook.Filter, n webhook.Note) (int, error) {
			if filter.Limit > 0 && filter.Source != "" {
				list := 0
				for _, r := range f.stored(filter) {
					list++
					if list == filter.Limit {
						filter.Limit, filter.UID = 0, r.Delivery.UID
					}
				}
			}
			return f.MemInbox.Replay(ctx, filter, n)
		}
	}},
	{"a replay of an unknown UID is ErrNotFound", func(f *fault) { // it has done nothing
		f.admin.replay = func(ctx context.Context, filter webhook.Filter, n webhook.Note) (int, error) {
			done, err := f.MemInbox.Replay(ctx, filter, n)
			if errors.Is(err, webhook.ErrNotFound) {
				err = nil
			}
			return done, err
		}
	}},
	{"a replay of an unfinished delivery is ErrState", func(f *fault) { // it runs anyway
		f.admin.replay = func(ctx context.Context, filter webhook.Filter, n webhook.Note) (int, error) {
			if r, err := f.MemInbox.Get(ctx, filter.UID); err == nil && !r.State.Final() {
				return 0, nil
			}
			return f.MemInbox.Replay(ctx, filter, n)
		}
	}},
	{"a replay is recorded with its Note, its time and the state before", func(f *fault) { // newest first
		f.changeRecords(func(r *webhook.Record) { slices.Reverse(r.Replays) })
	}},
	{"a replay without By is refused", func(f *fault) {
		f.changeReplays(func(_ *webhook.Filter, n *webhook.Note) {
			if n.By == "" {
				n.By = "nobody"
			}
		})
	}},
	{"a replay with a Filter that selects all is refused", func(f *fault) { // if it has no Limit
		f.changeReplays(func(filter *webhook.Filter, _ *webhook.Note) {
			if filter.Limit == 10 {
				filter.Source = someSource
			}
		})
	}},
	{"a context that has ended replays nothing", func(f *fault) {
		f.admin.replay = func(ctx context.Context, filter webhook.Filter, n webhook.Note) (int, error) {
			return f.MemInbox.Replay(context.WithoutCancel(ctx), filter, n)
		}
	}},
	{"a replay closes the channel of Changed", func(f *fault) {
		f.signalAllBut("Replay")
	}},
}

// signalAllBut lets all methods of an Admin but one close the channel of Changed.
func (f *fault) signalAllBut(silent string) {
	tell := f.signal()
	f.putThen(tell)
	f.settleThen(tell)
	verbs := f.admin
	if silent != "Extend" {
		f.extendThen(tell)
	}
	if silent != "Replay" {
		f.admin.replay = func(ctx context.Context, filter webhook.Filter, n webhook.Note) (int, error) {
			defer tell()
			return verbs.replay(ctx, filter, n)
		}
	}
	if silent != "Release" {
		f.afterRelease(func(context.Context, string) { tell() })
	}
	if silent != "ReleaseKey" {
		f.admin.releaseKey = func(ctx context.Context, source, key string) error {
			defer tell()
			return verbs.releaseKey(ctx, source, key)
		}
	}
	if silent != "GiveUp" {
		f.admin.giveUp = func(ctx context.Context, filter webhook.Filter, as webhook.State, n webhook.Note) (int, error) {
			defer tell()
			return verbs.giveUp(ctx, filter, as, n)
		}
	}
	if silent != "Resume" {
		f.admin.resume = func(ctx context.Context, typ string, n webhook.Note) error {
			defer tell()
			return verbs.resume(ctx, typ, n)
		}
	}
	if silent != "Bury" {
		f.admin.bury = func(ctx context.Context, uid string, n webhook.Note) error {
			defer tell()
			return verbs.bury(ctx, uid, n)
		}
	}
}

// extendThen calls tell after each extension.
func (f *fault) extendThen(tell func()) {
	f.extend = func(ctx context.Context, c webhook.Claim, lease time.Duration) error {
		defer tell()
		return f.MemInbox.Extend(ctx, c, lease)
	}
}

// putThen calls tell after each put.
func (f *fault) putThen(tell func()) {
	f.put = func(ctx context.Context, d *webhook.Delivery) error {
		defer tell()
		return f.MemInbox.Put(ctx, d)
	}
}

// settleThen calls tell after each settlement.
func (f *fault) settleThen(tell func()) {
	f.settle = func(ctx context.Context, c webhook.Claim, o webhook.Outcome) (webhook.State, error) {
		defer tell()
		return f.MemInbox.Settle(ctx, c, o)
	}
}
