package main

import (
	"cmp"
	"context"
	"iter"
	"slices"

	"github.com/hookhouse/hookhouse/webhook"
)

const (
	// tailWindow is how many of the newest deliveries each look compares.
	tailWindow = 300
	// tailStep is how many deliveries a look reads, however many are new.
	tailStep = 5000
	// tailWatched is how many older unfinished deliveries are watched, and tailLookups
	// how many of them one look reads.
	tailWatched = 5000
	tailLookups = 100
)

// A snapshot is what distinguishes two states of a delivery.
type snapshot struct {
	seq, fence, due int64
	state           webhook.State
	attempt         int
	reason          string
}

func snapshotOf(r webhook.Record) snapshot {
	return snapshot{r.Seq, r.Fence, r.Due.UnixMicro(), r.State, r.Attempt, short(r.Reason, 80)}
}

// after reports whether s is certainly a later state of the same delivery than other.
func (s snapshot) after(other snapshot) bool {
	switch {
	case s.seq != other.seq:
		return s.seq > other.seq
	case s.state.Final() != other.state.Final():
		return s.state.Final() // a later run would have a new Seq
	case s.attempt != other.attempt:
		// An attempt that is not counted lowers the number when its claim ends.
		return s.attempt > other.attempt && (s.state != webhook.Claimed || other.state == webhook.Claimed)
	}
	return other.state == webhook.Claimed && s.state != webhook.Claimed
}

// A lister lists deliveries, newest first.
type lister interface {
	All(ctx context.Context, f webhook.Filter) iter.Seq2[webhook.Record, error]
}

// A tailer finds what has changed since it looked before. An inbox has no list of
// changes, so a tailer compares: the newest deliveries at each look, and some of the older
// unfinished ones in turn.
type tailer struct {
	inbox  lister
	filter webhook.Filter
	window map[string]snapshot // the newest deliveries, by UID
	older  map[string]snapshot // unfinished ones outside the window
	turns  []string            // the UIDs of older, in the order in which they are read
	newest int64               // the highest Seq seen
	missed bool                // the last look did not reach what the one before had seen
}

func newTailer(inbox lister, f webhook.Filter) *tailer {
	return &tailer{inbox: inbox, filter: f, window: make(map[string]snapshot), older: make(map[string]snapshot)}
}

// begin remembers how things are.
func (t *tailer) begin(ctx context.Context) error {
	unfinished := webhook.Filter{States: []webhook.State{webhook.Waiting, webhook.Blocked, webhook.Claimed}, Limit: tailWatched}
	for r, err := range t.inbox.All(ctx, unfinished) {
		if err != nil {
			return err
		}
		t.watch(r.Delivery.UID, snapshotOf(r))
	}
	return t.beginWindow(ctx)
}

// beginWindow remembers how the newest deliveries are.
func (t *tailer) beginWindow(ctx context.Context) error {
	for r, err := range t.inbox.All(ctx, webhook.Filter{Limit: tailWindow}) {
		if err != nil {
			return err
		}
		t.window[r.Delivery.UID] = snapshotOf(r)
		t.newest = max(t.newest, r.Seq)
		delete(t.older, r.Delivery.UID)
	}
	return nil
}

// watch adds an older delivery, unless there are too many.
func (t *tailer) watch(uid string, v snapshot) {
	if _, known := t.older[uid]; !known && len(t.older) < tailWatched && !v.state.Final() {
		t.older[uid] = v
		t.turns = append(t.turns, uid)
	}
}

// look returns what is new or has changed and matches the filter, in order of Seq. After
// an error the next look finds the same again.
func (t *tailer) look(ctx context.Context) ([]webhook.Record, error) {
	t.missed = false
	window := make(map[string]snapshot, tailWindow)
	newest := t.newest
	var changed []webhook.Record
	note := func(r webhook.Record, before snapshot, known bool) {
		if v := snapshotOf(r); (!known || v != before) && t.matches(r) {
			changed = append(changed, r)
		}
	}
	for r, err := range t.inbox.All(ctx, webhook.Filter{Limit: tailStep}) {
		if err != nil {
			return nil, err
		}
		if len(window) >= tailWindow && r.Seq <= t.newest {
			break
		}
		uid := r.Delivery.UID
		before, known := t.window[uid]
		if !known {
			before, known = t.older[uid]
		}
		note(r, before, known)
		window[uid] = snapshotOf(r)
		newest = max(newest, r.Seq)
		t.missed = len(window) == tailStep && r.Seq > t.newest+1
	}
	looked, err := t.lookUp(ctx, window, note)
	if err != nil {
		return nil, err
	}
	for uid, v := range t.window {
		if _, still := window[uid]; !still {
			t.watch(uid, v)
		}
	}
	for uid, v := range looked {
		if v.state.Final() {
			delete(t.older, uid)
		} else {
			t.older[uid] = v
		}
	}
	t.window, t.newest = window, newest
	slices.SortFunc(changed, func(a, b webhook.Record) int { return cmp.Compare(a.Seq, b.Seq) })
	return changed, nil
}

// lookUp reads some of the older deliveries, and returns how they are now.
func (t *tailer) lookUp(ctx context.Context, window map[string]snapshot, note func(webhook.Record, snapshot, bool)) (map[string]snapshot, error) {
	looked := make(map[string]snapshot)
	turns := t.turns
	for range t.turns { // each once
		if len(looked) == tailLookups {
			break
		}
		uid := turns[0]
		turns = turns[1:]
		before, watched := t.older[uid]
		if _, inside := window[uid]; inside || !watched {
			delete(t.older, uid)
			continue
		}
		looked[uid] = snapshot{state: webhook.Done} // unless it is found: it was deleted
		for r, err := range t.inbox.All(ctx, webhook.Filter{UID: uid, Limit: 1}) {
			if err != nil {
				return nil, err
			}
			note(r, before, true)
			looked[uid] = snapshotOf(r)
		}
		if !looked[uid].state.Final() {
			turns = append(turns, uid)
		}
	}
	t.turns = slices.Clone(turns) // frees those in front
	return looked, nil
}

// matches reports whether a delivery is one that the filter asks for. The filter is not
// given to the inbox, which would read all deliveries to find a few.
func (t *tailer) matches(r webhook.Record) bool {
	f, d := t.filter, r.Delivery
	return (f.Source == "" || f.Source == d.Source) && (f.Type == "" || f.Type == d.Type) &&
		(f.OrderingKey == "" || f.OrderingKey == d.OrderingKey) && (len(f.States) == 0 || slices.Contains(f.States, r.State))
}
