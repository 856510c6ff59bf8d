package inspect

import (
	"net/http"
	"slices"
	"sync"
)

// keptRuns is how many acts on selections are shown.
const keptRuns = 10

// A runLog has the acts on selections. One runs at a time.
type runLog struct {
	mu     sync.Mutex
	closed bool
	lastID int64
	last   []*selectionRun // oldest first
	now    *selectionRun   // nil if none runs
}

// begin adds a run, unless one is running.
func (l *runLog) begin(r *selectionRun) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.closed:
		return requestError{http.StatusServiceUnavailable, "the inspector is closed"}
	case l.now != nil:
		return requestError{http.StatusConflict, "another selection is being " + l.now.of.kind.done + "; stop it, or wait for its end"}
	}
	l.lastID++
	r.ID, l.now = l.lastID, r
	if l.last = append(l.last, r); len(l.last) > keptRuns {
		l.last = slices.Delete(l.last, 0, 1)
	}
	return nil
}

// change changes a run while nobody reads it.
func (l *runLog) change(r *selectionRun, f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f()
	if r.State != runRunning && l.now == r {
		l.now = nil
	}
}

// all returns copies of the runs of a kind, or of all if it is nil, newest first.
func (l *runLog) all(kind *selectionKind) []selectionRun {
	l.mu.Lock()
	defer l.mu.Unlock()
	list := make([]selectionRun, 0, len(l.last))
	for _, r := range slices.Backward(l.last) {
		if kind != nil && r.of.kind != kind {
			continue
		}
		own := *r
		own.Faults = slices.Clone(r.Faults)
		list = append(list, own)
	}
	return list
}

// A stopCause is why a run ends before its end.
type stopCause string

func (c stopCause) Error() string { return string(c) }

// end stops the run with an id, or whatever runs if it is zero. It returns its kind, or nil if
// there is none.
func (l *runLog) end(id int64, cause stopCause) *selectionKind {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.now == nil || id != 0 && id != l.now.ID {
		return nil
	}
	l.now.stop(cause)
	return l.now.of.kind
}

// close stops what runs, and lets nothing begin.
func (l *runLog) close() {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	l.end(0, "the inspector was closed")
}
