package inboxtest

import (
	"context"
	"errors"
	"slices"

	"github.com/hookhouse/hookhouse/webhook"
)

// someone is the Note of replays where a law does not care.
var someone = webhook.Note{By: "ann", Why: "the cause is fixed"}

func (t *trial) admin() webhook.Admin {
	t.Helper()
	a, ok := t.in.(webhook.Admin)
	if !ok {
		t.Fatalf("%T is no webhook.Admin", t.in)
	}
	return a
}

// listAll returns the records of All.
func (t *trial) listAll(f webhook.Filter) []webhook.Record {
	t.Helper()
	var list []webhook.Record
	for r, err := range t.admin().All(t.Context(), f) {
		if err != nil {
			t.Fatalf("All: %v", err)
		}
		list = append(list, r)
	}
	return list
}

// requireList requires that All returns these deliveries, in order.
func (t *trial) requireList(f webhook.Filter, want ...*webhook.Delivery) {
	t.Helper()
	var got, names []string
	for _, r := range t.listAll(f) {
		got = append(got, r.Delivery.UID)
	}
	for _, d := range want {
		names = append(names, d.UID)
	}
	if !slices.Equal(got, names) {
		t.Errorf("All returned %v, want %v", got, names)
	}
}

// get calls Get, which must succeed.
func (t *trial) get(d *webhook.Delivery) webhook.Record {
	t.Helper()
	r, err := t.admin().Get(t.Context(), d.UID)
	if err != nil {
		t.Fatalf("Get of %s: %v", d.UID, err)
	}
	return r
}

// finished stores a delivery of an ordering key and ends it.
func (t *trial) finished(key string, s webhook.State) *webhook.Delivery {
	t.Helper()
	d := t.put(key)
	t.end(t.claimOf(d), s)
	return d
}

// replay calls Replay, which must make want deliveries run again.
func (t *trial) replay(f webhook.Filter, want int) {
	t.Helper()
	if n, err := t.admin().Replay(t.Context(), f, someone); err != nil || n != want {
		t.Fatalf("Replay returned %d, %v, want %d", n, err, want)
	}
}

// requireNoReplay requires that Replay of d fails with the error.
func (t *trial) requireNoReplay(d *webhook.Delivery, want error) {
	t.Helper()
	if n, err := t.admin().Replay(t.Context(), webhook.Filter{UID: d.UID}, someone); n != 0 || !errors.Is(err, want) {
		t.Errorf("Replay returned %d, %v, want %v", n, err, want)
	}
}

// releaseNow calls Release, which must succeed.
func (t *trial) releaseNow(d *webhook.Delivery) {
	t.Helper()
	if err := t.admin().Release(t.Context(), d.UID); err != nil {
		t.Fatalf("Release of %s: %v", d.UID, err)
	}
}

// requireNoRelease requires that Release of d fails with the error.
func (t *trial) requireNoRelease(d *webhook.Delivery, want error) {
	t.Helper()
	if err := t.admin().Release(t.Context(), d.UID); !errors.Is(err, want) {
		t.Errorf("Release returned %v, want %v", err, want)
	}
}

// errorsOf returns the errors of a list, and how many records it has.
func errorsOf(ctx context.Context, a webhook.Admin, f webhook.Filter) (errs []error, n int) {
	for _, err := range a.All(ctx, f) {
		if err != nil {
			errs = append(errs, err)
		} else {
			n++
		}
	}
	return errs, n
}
