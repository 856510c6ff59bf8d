package prom_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/prom"
)

const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

// A fakeAdmin answers Stats.
type fakeAdmin struct {
	webhook.Admin
	stats func(ctx context.Context) (webhook.Stats, error)
}

func (a fakeAdmin) Stats(ctx context.Context) (webhook.Stats, error) { return a.stats(ctx) }

// observeEverything calls each func of the Observers so that each metric of m has a value.
func observeEverything(m *prom.Metrics) {
	ctx, o, in := context.Background(), m.Observer(), m.InboxObserver()
	d := &webhook.Delivery{
		Source: "acme", Type: "acme.push", Body: make([]byte, 300), ReceivedAt: time.Now().Add(-2 * time.Second),
		Header: http.Header{"Traceparent": {traceparent}},
	}
	o.Rejected(ctx, "acme", 401, io.EOF)
	o.Rejected(ctx, "acme", 401, io.EOF)
	for _, err := range []error{nil, &webhook.DuplicateError{UID: "u"}, webhook.ErrIgnored, webhook.ErrNoHandler, errors.Join(webhook.ErrIgnored, io.EOF), (*nilError)(nil)} {
		o.Received(ctx, d, err, 20*time.Millisecond)
	}
	for attempt, state := range []webhook.State{webhook.Waiting, webhook.Done, webhook.Dead} {
		c := webhook.Claim{Delivery: d, Attempt: attempt + 1}
		o.Claimed(ctx, c)
		o.Settled(ctx, c, webhook.Outcome{State: state}, time.Duration(attempt)*time.Second)
	}
	o.Lost(ctx, webhook.Claim{Delivery: d})
	o.Overdue(ctx, webhook.Claim{Delivery: d}, time.Minute)
	in.Stored(ctx, d, 3*time.Millisecond)
	in.Duplicate(ctx, d, &webhook.DuplicateError{})
	in.Superseded(ctx, "old", d)
	in.Refused(ctx, d, io.EOF)
	in.Batch(5, 4000, 2*time.Millisecond, nil)
	in.Batch(7, 8000, 4*time.Millisecond, errors.New("disk full"))
	in.Swept(ctx, 9)
	in.Repaired(ctx, "acme", "key")
}

// A nilError is an error whose method panics if it is nil.
type nilError struct{ text string }

func (e *nilError) Error() string { return e.text }
func (e *nilError) Is(error) bool { return e.text != "" }

// someStats are numbers of two types.
func someStats(context.Context) (webhook.Stats, error) {
	return webhook.Stats{
		Types: map[string]map[webhook.State]int{
			"acme.push": {webhook.Waiting: 2, webhook.Done: 5},
			"acme.tag":  {webhook.Dead: 1},
		},
		Oldest:    map[string]time.Duration{"acme.push": 90 * time.Second},
		Unhandled: []string{"acme.tag"},
		Paused:    []webhook.Pause{{Type: "acme.push", Blocked: 3}},
	}, nil
}

// fullRegistry returns a registry in which each metric of the package has a value.
func fullRegistry(t *testing.T) *prometheus.Registry {
	t.Helper()
	m, registry := prom.New("acme.push", "acme.tag"), prometheus.NewPedanticRegistry()
	worker := webhook.NewWorker(&webhook.MemInbox{}, webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error { return nil }))
	registry.MustRegister(m, m.Stats(fakeAdmin{stats: someStats}), prom.Health(map[string]*webhook.Worker{"main": worker}),
		prom.CatchUps(map[string]func() prom.CatchUpStatus{"acme/app": func() prom.CatchUpStatus { return prom.CatchUpStatus{} }}))
	observeEverything(m)
	return registry
}
