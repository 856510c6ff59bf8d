package storetest

import (
	"context"

	"github.com/hookhouse/hookhouse/webhook/publish"
)

// strange are the laws about texts that no endpoint can have. Some databases refuse to look
// for them, and some encoders change them.
var strange = []law{
	{"an ID that no endpoint can have is not found", func(t *trial) {
		t.some()
		for _, id := range noTexts {
			_, err := t.store.Get(t.Context(), id)
			t.wantError("Get", err, publish.ErrNotFound)
			_, err = t.store.Update(t.Context(), id, func(*publish.Endpoint) error { return nil })
			t.wantError("Update", err, publish.ErrNotFound)
			t.wantError("Delete", t.store.Delete(t.Context(), id), publish.ErrNotFound)
		}
	}},
	{"a Filter with what no endpoint can have selects none", func(t *trial) {
		e := t.endpoint()
		e.Owner, e.Name = "odd \uFFFD", "odd \uFFFD"
		t.create(e)
		for _, text := range noTexts {
			t.want("All of an owner", t.all(publish.Filter{Owners: []string{text}}))
			t.want("All of a name", t.all(publish.Filter{Name: text}))
			t.want("All of a state", t.all(publish.Filter{States: []publish.State{publish.State(text)}}))
		}
	}},
	{"an owner that no endpoint can have has none", func(t *trial) {
		e := t.endpoint()
		e.Owner = "odd owner \uFFFD"
		t.create(e)
		for _, owner := range []string{"odd owner \xff", "odd owner \x00"} {
			if targets, err := t.store.Match(t.Context(), owner, someType); err != nil || len(targets) > 0 {
				t.Errorf("Match returned %v, %v", targets, err)
			}
		}
	}},
	{"a filter with what no attempt can have selects none", func(t *trial) {
		a := t.attempt("odd \uFFFD", publish.Delivered)
		a.Event, a.UID = a.Endpoint, a.Endpoint
		t.record(a)
		for _, text := range noTexts {
			for _, f := range []publish.AttemptFilter{{Endpoint: text}, {Event: text}, {UID: text}, {Results: []publish.Result{publish.Result(text)}}} {
				t.want("Attempts", t.uids(f))
			}
		}
	}},
}

var noTexts = []string{"odd \xff", "odd \x00"}

// contexts are the laws about contexts.
var contexts = []law{
	ended("Create", func(t *trial, ctx context.Context) error {
		_, err := t.store.Create(ctx, t.endpoint())
		return err
	}),
	ended("Get", func(t *trial, ctx context.Context) error {
		_, err := t.store.Get(ctx, t.some().ID)
		return err
	}),
	ended("Update", func(t *trial, ctx context.Context) error {
		_, err := t.store.Update(ctx, t.some().ID, func(*publish.Endpoint) error { return nil })
		return err
	}),
	ended("Delete", func(t *trial, ctx context.Context) error { return t.store.Delete(ctx, t.some().ID) }),
	ended("All", func(t *trial, ctx context.Context) (last error) {
		t.some()
		for _, err := range t.store.All(ctx, publish.Filter{}) {
			last = err
		}
		return last
	}),
	ended("Match", func(t *trial, ctx context.Context) error {
		_, err := t.store.Match(ctx, someOwner, someType)
		return err
	}),
	ended("Record", func(t *trial, ctx context.Context) error {
		_, err := t.store.Record(ctx, t.attempt("ep", publish.Delivered))
		return err
	}),
	ended("Attempts", func(t *trial, ctx context.Context) (last error) {
		t.recordAt("ep", someTime)
		for _, err := range t.store.Attempts(ctx, publish.AttemptFilter{}) {
			last = err
		}
		return last
	}),
	ended("Sweep", func(t *trial, ctx context.Context) error {
		_, err := t.store.Sweep(ctx, someTime, 0)
		return err
	}),
}

// ended is the law that a method fails if its context has ended before.
func ended(method string, call func(t *trial, ctx context.Context) error) law {
	return law{method + " returns the error of a context that has ended", func(t *trial) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		t.wantError(method, call(t, ctx), context.Canceled)
	}}
}
