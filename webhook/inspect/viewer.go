package inspect

import (
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

const (
	// viewerTimeout is how long a viewer may take to read an update, aliveEvery how often it
	// gets a sign of life, and streamFor how long its stream is: then it has to ask again,
	// and protect decides again.
	viewerTimeout = 5 * time.Second
	aliveEvery    = 15 * time.Second
	streamFor     = 5 * time.Minute
)

// A viewer has a live list open. Its buffer is bounded: a viewer that does not read loses
// changes, and delays nobody.
type viewer struct {
	filter webhook.Filter
	key    string        // the same for viewers with the same filter
	ready  chan struct{} // has one element if something is pending
	end    chan struct{} // closed by the hub

	mu      sync.Mutex
	greeted bool // it has had the window
	pending news
	whole   *sharedNews // what pending is, if it is that of one look; its records are not changed
	missed  bool
	failed  bool
}

func newViewer(f webhook.Filter) *viewer {
	return &viewer{filter: f, key: fmt.Sprintf("%#v", f), ready: make(chan struct{}, 1), end: make(chan struct{})}
}

// offer adds what a look has found.
func (v *viewer) offer(s *sharing) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.failed = s.look.failed
	found := s.changes
	if !v.greeted && !s.look.failed {
		v.greeted = true
		found = s.greeting
	} else {
		v.missed = v.missed || s.look.missed
	}
	if n := found(); len(n.records) > 0 {
		if len(v.pending.records) == 0 && v.pending.dropped == 0 {
			v.pending, v.whole = n.news, n
		} else {
			v.pending, v.whole = v.pending.then(n.news, v.filter), nil
		}
	}
	if len(v.pending.records) > 0 || v.failed {
		select {
		case v.ready <- struct{}{}:
		default:
		}
	}
}

// take returns the event of what is pending, and reports false if there is nothing. The caller
// does not change the event.
func (v *viewer) take() (event []byte, ok bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.pending.records) == 0 && !v.failed {
		return nil, false
	}
	if v.whole != nil && !v.missed && !v.failed {
		event = v.whole.event()
	} else {
		event = eventOf(v.pending.update(v.filter, v.missed, v.failed))
	}
	v.pending, v.whole, v.missed, v.failed = news{}, nil, false, false
	return event, event != nil
}

// apiLive sends what changes, as server-sent events. See
// https://html.spec.whatwg.org/multipage/server-sent-events.html.
func (in *Inspector) apiLive(w http.ResponseWriter, c call) error {
	f, err := parseFilter(c.Request, time.Now())
	if err != nil {
		return err
	}
	v := newViewer(f)
	if err := in.hub.join(in, v); err != nil {
		return err
	}
	defer in.hub.leave(v)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no") // https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_buffering
	if c.Method == http.MethodHead {
		return nil
	}
	to := http.NewResponseController(w)
	defer func() { _ = to.SetWriteDeadline(time.Time{}) }() // the connection may be used again
	send := func(text []byte) bool {
		_ = to.SetWriteDeadline(time.Now().Add(viewerTimeout)) // not every writer can
		_, err := w.Write(text)
		return err == nil && to.Flush() == nil
	}
	if !send([]byte("retry: 2000\n\n")) {
		return nil
	}
	end := time.NewTimer(streamFor)
	defer end.Stop()
	alive := time.NewTicker(aliveEvery)
	defer alive.Stop()
	for {
		text := []byte(": alive\n\n")
		select {
		case <-v.ready:
			event, ok := v.take()
			if !ok {
				continue
			}
			text = event
		case <-alive.C:
		case <-v.end:
			return nil
		case <-end.C:
			return nil
		case <-c.Context().Done():
			return nil
		}
		if !send(text) {
			return nil // it has gone, or does not read
		}
	}
}
