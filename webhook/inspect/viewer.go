package inspect

import (
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

const (
	// maxPending is how many changes wait for a viewer. Further ones take the place of the
	// oldest, and the viewer gets their number.
	maxPending = 100
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
	ready  chan struct{} // has one element if something is pending
	end    chan struct{} // closed by the hub

	mu      sync.Mutex
	greeted bool // it has had the window
	pending []webhook.Record
	dropped int
	missed  bool
	failed  bool
}

func newViewer(f webhook.Filter) *viewer {
	return &viewer{filter: f, ready: make(chan struct{}, 1), end: make(chan struct{})}
}

// offer adds what a look has found.
func (v *viewer) offer(l look) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.failed = l.failed
	news := l.changed
	if !v.greeted && !l.failed {
		v.greeted = true
		news = slices.DeleteFunc(slices.Clone(l.window), func(r webhook.Record) bool { return !matches(v.filter, r) })
		news = news[:min(len(news), maxPending/2)]
	} else {
		v.missed = v.missed || l.missed
	}
	again := make(map[string]bool, len(news))
	for _, r := range news {
		again[r.Delivery.UID] = true
	}
	v.pending = slices.DeleteFunc(v.pending, func(p webhook.Record) bool { return again[p.Delivery.UID] })
	for _, r := range slices.Backward(news) {
		v.pending = append(v.pending, r)
	}
	v.trim()
	if len(v.pending) > 0 || v.failed {
		select {
		case v.ready <- struct{}{}:
		default:
		}
	}
}

// trim drops what is too much: first what the viewer does not list, then the oldest.
func (v *viewer) trim() {
	over := len(v.pending) - maxPending
	if over <= 0 {
		return
	}
	v.dropped += over
	kept := make([]webhook.Record, 0, maxPending) // the large array of a busy look is not kept
	for _, r := range v.pending {
		if over > 0 && !matches(v.filter, r) {
			over--
			continue
		}
		kept = append(kept, r)
	}
	v.pending = slices.Delete(kept, 0, over)
}

// An update is the JSON of what a viewer gets.
type update struct {
	Deliveries []liveRecord `json:"deliveries"` // in the order of the changes
	Gone       []string     `json:"gone"`       // the URLs of those that no longer match
	Dropped    int          `json:"dropped,omitempty"`
	Missed     bool         `json:"missed,omitempty"`
	Error      string       `json:"error,omitempty"`
}

// A liveRecord is a delivery with the URL of its page.
type liveRecord struct {
	record
	URL string `json:"url"`
}

// take returns what is pending, and reports false if there is nothing.
func (v *viewer) take() (u update, ok bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	u = update{Deliveries: []liveRecord{}, Gone: []string{}, Dropped: v.dropped, Missed: v.missed}
	for _, r := range v.pending {
		if matches(v.filter, r) {
			u.Deliveries = append(u.Deliveries, liveRecord{recordOf(r), deliveryURL(r.Delivery.UID)})
		} else {
			u.Gone = append(u.Gone, deliveryURL(r.Delivery.UID))
		}
	}
	if v.failed {
		u.Error = "the store failed; the log says why"
	}
	ok = len(v.pending) > 0 || v.failed
	v.pending, v.dropped, v.missed, v.failed = nil, 0, false, false
	return u, ok
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
			u, ok := v.take()
			line, err := jsonText(u)
			if !ok || err != nil {
				continue
			}
			text = append(append([]byte("data: "), line...), '\n')
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
