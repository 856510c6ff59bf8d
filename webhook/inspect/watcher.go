package inspect

import (
	"context"

	"github.com/hookhouse/hookhouse/webhook"
)

const (
	// liveWindow is how many of the newest deliveries a watcher compares, and liveStep how
	// many one look reads, however many are new.
	liveWindow = 200
	liveStep   = 1000
)

// A snapshot is what distinguishes two states of a delivery.
type snapshot struct {
	seq, fence, due int64
	state           webhook.State
	attempt         int
	reason          string
}

func snapshotOf(r webhook.Record) snapshot {
	return snapshot{r.Seq, r.Fence, r.Due.UnixMicro(), r.State, r.Attempt, clip(r.Reason, 80)}
}

// A watcher finds what has changed since it looked before. An inbox has no list of
// changes, so it compares the newest deliveries.
type watcher struct {
	in     *Inspector
	window []webhook.Record    // newest first
	known  map[string]snapshot // of the window, by UID
}

// A look is what a watcher has found. Its lists are newest first.
type look struct {
	window  []webhook.Record
	changed []webhook.Record
	missed  bool // more were new than a look reads
	failed  bool // the store could not be read
}

// look reads the newest deliveries. After an error the next look finds the same again.
func (w *watcher) look(ctx context.Context) (l look, err error) {
	defer recoverTo(&err)
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	f := webhook.Filter{Limit: liveWindow, Unsigned: true}
	if len(w.window) > 0 {
		// The store need not look at older ones.
		f.Limit, f.After = liveStep, max(w.window[len(w.window)-1].Seq-1, 0)
	}
	found, err := w.in.read(ctx, f)
	if err != nil {
		return l, err
	}
	l.missed = w.known != nil && len(found) == liveStep
	known := make(map[string]snapshot, len(found))
	for i, r := range found {
		now := snapshotOf(r)
		if before, ok := w.known[r.Delivery.UID]; !ok || before != now {
			l.changed = append(l.changed, r)
		}
		if i < liveWindow {
			known[r.Delivery.UID] = now
		}
	}
	w.in.seen.see(found)
	w.window, w.known = found[:min(len(found), liveWindow)], known
	l.window = w.window
	return l, nil
}
