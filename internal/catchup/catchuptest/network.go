package catchuptest

import (
	"errors"
	"net/http"
	"sync"

	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// A CallEnd is what happens to a call.
type CallEnd string

// The ends of a call.
const (
	Passed     CallEnd = "passed"
	Refused    CallEnd = "refused"
	AnswerLost CallEnd = "stored, and the answer is lost"
	Proxied    CallEnd = "answered 200 by a proxy, and lost"
	Unready    CallEnd = "answered 503 by a proxy"
)

// Each returns a mode of a [Network] that takes the ends in turn.
func Each(ends ...CallEnd) func() CallEnd {
	n := 0
	return func() CallEnd {
		n++
		return ends[(n-1)%len(ends)]
	}
}

// A Network is what is between a sender and the receiver. All calls pass until Set.
type Network struct {
	up   http.RoundTripper
	mu   sync.Mutex
	mode func() CallEnd // nil: passed
}

// NewNetwork returns a Network in front of a receiver.
func NewNetwork(receiver http.Handler) *Network {
	return &Network{up: webhooktest.InMemory(receiver)}
}

// Set changes what happens to the calls. It is called for each call, one at a time. If nil,
// all pass.
func (n *Network) Set(mode func() CallEnd) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.mode = mode
}

// RoundTrip makes a call, with the end that the mode says.
func (n *Network) RoundTrip(r *http.Request) (*http.Response, error) {
	n.mu.Lock()
	what := Passed
	if n.mode != nil {
		what = n.mode()
	}
	n.mu.Unlock()
	switch what {
	case Refused:
		return nil, errors.New("connection refused")
	case AnswerLost:
		if _, err := n.up.RoundTrip(r); err != nil {
			return nil, err
		}
		return nil, errors.New("connection reset")
	case Proxied:
		return answered(r, http.StatusOK)
	case Unready:
		return answered(r, http.StatusServiceUnavailable)
	}
	return n.up.RoundTrip(r)
}

// answered returns an empty answer to a call.
func answered(r *http.Request, status int) (*http.Response, error) {
	return webhooktest.InMemory(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
	})).RoundTrip(r)
}

// A Transport is a func as an http.RoundTripper.
type Transport func(r *http.Request) (*http.Response, error)

// RoundTrip calls t.
func (t Transport) RoundTrip(r *http.Request) (*http.Response, error) { return t(r) }
