package inboxtest

import (
	"context"
	"iter"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// adminVerbs are the methods of an Admin, of which a fault replaces some.
type adminVerbs struct {
	all        func(ctx context.Context, f webhook.Filter) iter.Seq2[webhook.Record, error]
	get        func(ctx context.Context, uid string) (webhook.Record, error)
	replay     func(ctx context.Context, f webhook.Filter, n webhook.Note) (int, error)
	every      func(ctx context.Context, f webhook.Filter, n webhook.Note, every time.Duration) (int, error)
	release    func(ctx context.Context, uid string) error
	releaseKey func(ctx context.Context, source, key string) error
	pause      func(ctx context.Context, typ string, n webhook.Note) error
	resume     func(ctx context.Context, typ string, n webhook.Note) error
	bury       func(ctx context.Context, uid string, n webhook.Note) error
	giveUp     func(ctx context.Context, f webhook.Filter, as webhook.State, n webhook.Note) (int, error)
	discard    func(ctx context.Context, f webhook.Filter, n webhook.Note) (int, error)
	stats      func(ctx context.Context) (webhook.Stats, error)
	overview   func(ctx context.Context, limit int) (webhook.Overview, error)
	ping       func(ctx context.Context) error
}

func verbsOf(a webhook.Admin) adminVerbs {
	return adminVerbs{
		all: a.All, get: a.Get, replay: a.Replay, every: a.ReplayEvery, release: a.Release, releaseKey: a.ReleaseKey, pause: a.Pause, resume: a.Resume,
		bury: a.Bury, giveUp: a.GiveUp, discard: a.Discard, stats: a.Stats, overview: a.Overview, ping: a.Ping,
	}
}

func (f *fault) All(ctx context.Context, filter webhook.Filter) iter.Seq2[webhook.Record, error] {
	return f.admin.all(ctx, filter)
}

func (f *fault) Get(ctx context.Context, uid string) (webhook.Record, error) {
	return f.admin.get(ctx, uid)
}

func (f *fault) Replay(ctx context.Context, filter webhook.Filter, n webhook.Note) (int, error) {
	return f.admin.replay(ctx, filter, n)
}

func (f *fault) Release(ctx context.Context, uid string) error { return f.admin.release(ctx, uid) }

func (f *fault) ReleaseKey(ctx context.Context, source, key string) error {
	return f.admin.releaseKey(ctx, source, key)
}

func (f *fault) ReplayEvery(ctx context.Context, filter webhook.Filter, n webhook.Note, every time.Duration) (int, error) {
	return f.admin.every(ctx, filter, n, every)
}

func (f *fault) Pause(ctx context.Context, typ string, n webhook.Note) error {
	return f.admin.pause(ctx, typ, n)
}

func (f *fault) Resume(ctx context.Context, typ string, n webhook.Note) error {
	return f.admin.resume(ctx, typ, n)
}

func (f *fault) Bury(ctx context.Context, uid string, n webhook.Note) error {
	return f.admin.bury(ctx, uid, n)
}

func (f *fault) GiveUp(ctx context.Context, filter webhook.Filter, as webhook.State, n webhook.Note) (int, error) {
	return f.admin.giveUp(ctx, filter, as, n)
}

func (f *fault) Discard(ctx context.Context, filter webhook.Filter, n webhook.Note) (int, error) {
	return f.admin.discard(ctx, filter, n)
}

func (f *fault) Stats(ctx context.Context) (webhook.Stats, error) { return f.admin.stats(ctx) }

func (f *fault) Overview(ctx context.Context, limit int) (webhook.Overview, error) {
	return f.admin.overview(ctx, limit)
}

func (f *fault) Ping(ctx context.Context) error { return f.admin.ping(ctx) }

// stored returns what the inbox has.
func (f *fault) stored(filter webhook.Filter) (list []webhook.Record) {
	for r, err := range f.MemInbox.All(context.Background(), filter) {
		if err == nil {
			list = append(list, r)
		}
	}
	return list
}

// count returns how many deliveries have the state.
func (f *fault) count(s webhook.State) int {
	return len(f.stored(webhook.Filter{States: []webhook.State{s}}))
}

// changeFilters makes a list of others than were asked for.
func (f *fault) changeFilters(change func(filter *webhook.Filter)) {
	f.admin.all = func(ctx context.Context, filter webhook.Filter) iter.Seq2[webhook.Record, error] {
		change(&filter)
		return f.MemInbox.All(ctx, filter)
	}
}

// changeLists makes a whole list different.
func (f *fault) changeLists(change func(filter webhook.Filter, list []webhook.Record) []webhook.Record) {
	f.admin.all = func(ctx context.Context, filter webhook.Filter) iter.Seq2[webhook.Record, error] {
		return func(yield func(webhook.Record, error) bool) {
			var list []webhook.Record
			for r, err := range f.MemInbox.All(ctx, filter) {
				if err != nil {
					yield(r, err)
					return
				}
				list = append(list, r)
			}
			for _, r := range change(filter, list) {
				if !yield(r, nil) {
					return
				}
			}
		}
	}
}

// addToList lets a list have what another Filter selects as well, at its end.
func (f *fault) addToList(other func(filter webhook.Filter) (webhook.Filter, bool)) {
	f.changeLists(func(filter webhook.Filter, list []webhook.Record) []webhook.Record {
		if more, ok := other(filter); ok {
			list = append(list, f.stored(more)...)
		}
		return list
	})
}

// changeRecords makes what Get returns different.
func (f *fault) changeRecords(change func(r *webhook.Record)) {
	f.admin.get = func(ctx context.Context, uid string) (webhook.Record, error) {
		r, err := f.MemInbox.Get(ctx, uid)
		if err == nil {
			change(&r)
		}
		return r, err
	}
}

// changeReplays lets a replay be of others than were asked for.
func (f *fault) changeReplays(change func(filter *webhook.Filter, n *webhook.Note)) {
	f.admin.replay = func(ctx context.Context, filter webhook.Filter, n webhook.Note) (int, error) {
		change(&filter, &n)
		return f.MemInbox.Replay(ctx, filter, n)
	}
}

// afterRelease does more than a release that succeeded.
func (f *fault) afterRelease(more func(ctx context.Context, uid string)) {
	f.admin.release = func(ctx context.Context, uid string) error {
		err := f.MemInbox.Release(ctx, uid)
		if err == nil {
			more(ctx, uid)
		}
		return err
	}
}

// changeStats makes what Stats returns different.
func (f *fault) changeStats(change func(st *webhook.Stats)) {
	f.admin.stats = func(ctx context.Context) (webhook.Stats, error) {
		st, err := f.MemInbox.Stats(ctx)
		change(&st)
		return st, err
	}
}

// changeAttempts makes the attempts that Get returns different.
func (f *fault) changeAttempts(change func(r *webhook.Record, a *webhook.Attempt)) {
	f.changeRecords(func(r *webhook.Record) {
		for i := range r.Attempts {
			change(r, &r.Attempts[i])
		}
	})
}
