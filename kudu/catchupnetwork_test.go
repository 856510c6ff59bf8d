package kudu_test

import (
	"errors"
	"net/http"
	"sync"

	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// A network is what is between the site and the receiver.
type network struct {
	up   http.RoundTripper
	mu   sync.Mutex
	mode func() callEnd // nil: passed
}

// A callEnd is what happens to a call.
type callEnd string

const (
	passed     callEnd = "passed"
	refused    callEnd = "refused"
	answerLost callEnd = "stored, and the answer is lost"
	proxied    callEnd = "answered 200 by a proxy, and lost"
	unready    callEnd = "answered 503 by a proxy"
)

// each returns a mode that takes the ends in turn.
func each(ends ...callEnd) func() callEnd {
	n := 0
	return func() callEnd {
		n++
		return ends[(n-1)%len(ends)]
	}
}

func (n *network) set(mode func() callEnd) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.mode = mode
}

func (n *network) RoundTrip(r *http.Request) (*http.Response, error) {
	n.mu.Lock()
	what := passed
	if n.mode != nil {
		what = n.mode()
	}
	n.mu.Unlock()
	switch what {
	case refused:
		return nil, errors.New("connection refused")
	case answerLost:
		if _, err := n.up.RoundTrip(r); err != nil {
			return nil, err
		}
		return nil, errors.New("connection reset")
	case proxied:
		return webhooktest.InMemory(answering(http.StatusOK, "")).RoundTrip(r)
	case unready:
		return webhooktest.InMemory(answering(http.StatusServiceUnavailable, "")).RoundTrip(r)
	}
	return n.up.RoundTrip(r)
}

// A transport is a func as a RoundTripper.
type transport func(r *http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
