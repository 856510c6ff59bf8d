package inspect

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

const (
	// liveEvery is the shortest time between two looks at the store, and so between two
	// updates of a viewer. livePoll is the longest between two looks: an inbox does not signal all.
	liveEvery = 250 * time.Millisecond
	livePoll  = time.Second
	// maxViewers bounds the viewers of live lists.
	maxViewers = 200
	// offerAtOnce is how many viewers get an update at a time, and offerPause how long the
	// next ones wait: what else the program does is then not behind the writes to all of them.
	offerAtOnce = 8
	offerPause  = 5 * time.Millisecond
)

// A hub passes what changes to the viewers of live lists. It looks at the store once for
// all of them, and only while there are any.
type hub struct {
	mu      sync.Mutex
	viewers []*viewer          // in the order in which they came
	stop    context.CancelFunc // ends the looking; nil if there are no viewers
	closed  bool
}

// join adds a viewer. The caller calls leave.
func (h *hub) join(in *Inspector, v *viewer) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.closed:
		return requestError{http.StatusServiceUnavailable, "the inspector is closed"}
	case len(h.viewers) >= maxViewers:
		return requestError{http.StatusServiceUnavailable, "too many viewers have a live list open; the page works without"}
	}
	h.viewers = append(h.viewers, v)
	if h.stop == nil {
		ctx, cancel := context.WithCancel(context.Background())
		h.stop = cancel
		go in.watch(ctx)
	}
	return nil
}

// leave removes a viewer, and ends the looking if it was the last.
func (h *hub) leave(v *viewer) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.viewers = slices.DeleteFunc(h.viewers, func(other *viewer) bool { return other == v })
	if len(h.viewers) == 0 && h.stop != nil {
		h.stop()
		h.stop = nil
	}
}

// close ends the streams of all viewers.
func (h *hub) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.closed {
		h.closed = true
		for _, v := range h.viewers {
			close(v.end)
		}
	}
}

// publish offers to each viewer what has changed, or all of the window if it has not had
// that yet. It waits for none of them. Viewers with the same filter share what is made of it.
func (h *hub) publish(ctx context.Context, l look) {
	shared := make(map[string]*sharing)
	for i, v := range h.current(ctx) {
		if i > 0 && i%offerAtOnce == 0 {
			waitUntil(ctx, offerPause, nil)
		}
		if ctx.Err() != nil {
			return
		}
		if shared[v.key] == nil {
			shared[v.key] = &sharing{filter: v.filter, look: l}
		}
		v.offer(shared[v.key])
	}
}

// current returns the viewers of the watcher with ctx. If that has ended, a viewer of now has
// another watcher, which offers it the window.
func (h *hub) current(ctx context.Context) []*viewer {
	h.mu.Lock()
	defer h.mu.Unlock()
	if ctx.Err() != nil {
		return nil
	}
	return slices.Clone(h.viewers)
}

// watch looks at the store until ctx ends.
func (in *Inspector) watch(ctx context.Context) {
	w := watcher{in: in}
	notifier, _ := in.store.(webhook.Notifier)
	failing := false
	for ctx.Err() == nil {
		var changed <-chan struct{}
		if notifier != nil {
			changed = notifier.Changed() // before the look: what changes meanwhile is not missed
		}
		l, err := w.look(ctx)
		if err != nil && ctx.Err() == nil {
			if !failing {
				in.logger().Error("inspector: the store failed; live lists wait", "error", err)
			}
			l = look{failed: true}
		}
		failing = err != nil
		in.hub.publish(ctx, l)
		waitUntil(ctx, liveEvery, nil)
		waitUntil(ctx, livePoll-liveEvery, changed)
	}
}

// waitUntil waits for a while, until the channel is closed, or until ctx ends.
func waitUntil(ctx context.Context, d time.Duration, until <-chan struct{}) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-until:
	case <-ctx.Done():
	}
}
