package storetest

import (
	"context"
	"fmt"
	"iter"
	"sync"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/publish"
)

// The owner and the type of events, unless a law needs others.
const (
	someOwner = "acme"
	someType  = "alpha.event"
)

// someTime is when endpoints were created and attempts began, unless a law needs another.
var someTime = time.Date(2026, 2, 3, 4, 5, 6, 7e6, time.UTC)

// A reporter is the part of a [testing.T] that a law needs. Fatalf ends the goroutine.
type reporter interface {
	Helper()
	Context() context.Context
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// A trial is the run of one law with one store.
type trial struct {
	reporter
	store publish.Store
	count int // of endpoints that were made
}

// endpoint returns a new endpoint that receives someType, unless there are patterns. It has
// an ID and a name of its own. It does not store it.
func (t *trial) endpoint(patterns ...string) *publish.Endpoint {
	t.count++
	if patterns == nil {
		patterns = []string{someType}
	}
	return &publish.Endpoint{
		ID:      fmt.Sprintf("ep_%04d", t.count),
		Owner:   someOwner,
		Name:    fmt.Sprintf("Name %d", t.count),
		URL:     "https://example.com/hook",
		Events:  patterns,
		Secrets: []publish.Secret{{Secret: webhook.NewSecret("some secret")}},
		State:   publish.Active,
		Since:   someTime,
		Created: someTime,
	}
}

// create stores e, which must succeed, and returns what Create returns.
func (t *trial) create(e *publish.Endpoint) *publish.Endpoint {
	t.Helper()
	stored, err := t.store.Create(t.Context(), e)
	if err != nil {
		t.Fatalf("Create of %s: %v", e.ID, err)
	}
	return stored
}

// some stores a new endpoint.
func (t *trial) some() *publish.Endpoint {
	t.Helper()
	return t.create(t.endpoint())
}

// get returns an endpoint that must be there.
func (t *trial) get(id string) *publish.Endpoint {
	t.Helper()
	e, err := t.store.Get(t.Context(), id)
	if err != nil {
		t.Fatalf("Get of %s: %v", id, err)
	}
	return e
}

// update changes an endpoint, which must succeed, and returns what Update returns.
func (t *trial) update(id string, change func(e *publish.Endpoint)) *publish.Endpoint {
	t.Helper()
	e, err := t.store.Update(t.Context(), id, func(e *publish.Endpoint) error {
		change(e)
		return nil
	})
	if err != nil {
		t.Fatalf("Update of %s: %v", id, err)
	}
	return e
}

// delete deletes an endpoint that must be there.
func (t *trial) delete(id string) {
	t.Helper()
	if err := t.store.Delete(t.Context(), id); err != nil {
		t.Fatalf("Delete of %s: %v", id, err)
	}
}

// attempt returns an attempt with the result. It does not store it.
func (t *trial) attempt(endpoint string, r publish.Result) publish.Attempt {
	return publish.Attempt{Endpoint: endpoint, Event: "event", UID: "uid", Type: someType, Number: 1, At: someTime, Result: r}
}

// record stores an attempt, which must succeed, and returns what Record returns.
func (t *trial) record(a publish.Attempt) (began bool) {
	t.Helper()
	began, err := t.store.Record(t.Context(), a)
	if err != nil {
		t.Fatalf("Record for %s: %v", a.Endpoint, err)
	}
	return began
}

// recordAt stores an attempt that began at a time.
func (t *trial) recordAt(endpoint string, at time.Time) {
	t.Helper()
	a := t.attempt(endpoint, publish.Delivered)
	a.At = at
	t.record(a)
}

// all returns the IDs of what All yields.
func (t *trial) all(f publish.Filter) []string {
	t.Helper()
	return list(t, t.store.All(t.Context(), f), func(e *publish.Endpoint) string { return e.ID })
}

// attempts returns the attempts that Attempts yields.
func (t *trial) attempts(f publish.AttemptFilter) []publish.Attempt {
	t.Helper()
	return list(t, t.store.Attempts(t.Context(), f), func(a publish.Attempt) publish.Attempt { return a })
}

// uids returns the UIDs of what Attempts yields.
func (t *trial) uids(f publish.AttemptFilter) []string {
	t.Helper()
	return list(t, t.store.Attempts(t.Context(), f), func(a publish.Attempt) string { return a.UID })
}

// list returns what of each value that all yields, which must be no error.
func list[V, W any](t *trial, all iter.Seq2[V, error], what func(V) W) (values []W) {
	t.Helper()
	for v, err := range all {
		if err != nil {
			t.Fatalf("the list ended with %v", err)
		}
		values = append(values, what(v))
	}
	return values
}

// matches returns the IDs of what Match returns for someOwner.
func (t *trial) matches(typ string) (ids []string) {
	t.Helper()
	targets, err := t.store.Match(t.Context(), someOwner, typ)
	if err != nil {
		t.Fatalf("Match of %q: %v", typ, err)
	}
	for _, target := range targets {
		ids = append(ids, target.ID)
	}
	return ids
}

// sweep sweeps, which must succeed, and returns the number.
func (t *trial) sweep(before time.Time, limit int) int {
	t.Helper()
	n, err := t.store.Sweep(t.Context(), before, limit)
	if err != nil {
		t.Fatalf("Sweep: %v", err)
	}
	return n
}

// atOnce calls f n times, at the same time.
func atOnce(n int, f func(i int)) {
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { f(i) })
	}
	all.Wait()
}
