package storetest

import (
	"context"
	"errors"
	"strconv"

	"github.com/hookhouse/hookhouse/webhook/publish"
)

// conflicts are the laws of an Update while others change the endpoint.
var conflicts = []law{
	{"concurrent updates lose nothing", func(t *trial) {
		const n = 8
		e := t.some()
		atOnce(n, func(i int) {
			for range 3 {
				_, err := t.store.Update(t.Context(), e.ID, func(e *publish.Endpoint) error {
					sum, _ := strconv.Atoi(e.Description)
					e.Description = strconv.Itoa(sum + 1)
					return nil
				})
				if err != nil {
					t.Errorf("Update: %v", err)
				}
			}
		})
		if got := t.get(e.ID).Description; got != strconv.Itoa(3*n) {
			t.Errorf("%d updates have counted to %s", 3*n, got)
		}
	}},
	{"an Update while change runs is not lost", func(t *trial) {
		e := t.some()
		calls := 0
		t.update(e.ID, func(outer *publish.Endpoint) {
			if calls++; calls == 1 {
				t.update(e.ID, func(inner *publish.Endpoint) { inner.Description = "inner" })
			}
			outer.Scheme = "outer"
		})
		if got := t.get(e.ID); got.Description != "inner" || got.Scheme != "outer" || calls != 2 {
			t.Errorf("after %d calls of change there are %q and %q", calls, got.Description, got.Scheme)
		}
	}},
	{"a failing that begins while change runs is not lost", func(t *trial) {
		e := t.some()
		t.update(e.ID, func(e *publish.Endpoint) {
			if e.FailingSince.IsZero() {
				t.record(t.attempt(e.ID, publish.Failed))
			}
			e.Description = "new"
		})
		if got := t.get(e.ID); !got.FailingSince.Equal(someTime) || got.Description != "new" {
			t.Errorf("failing since %v, description %q", got.FailingSince, got.Description)
		}
	}},
	{"a failing that ends while change runs has ended", func(t *trial) {
		e := t.some()
		t.record(t.attempt(e.ID, publish.Failed))
		t.update(e.ID, func(e *publish.Endpoint) {
			if !e.FailingSince.IsZero() {
				t.record(t.attempt(e.ID, publish.Delivered))
			}
			e.Description = "new"
		})
		if got := t.get(e.ID); !got.FailingSince.IsZero() {
			t.Errorf("failing since %v", got.FailingSince)
		}
	}},
	{"an endpoint that is deleted while change runs is not found", func(t *trial) {
		e := t.some()
		_, err := t.store.Update(t.Context(), e.ID, func(e *publish.Endpoint) error {
			t.delete(e.ID)
			return nil
		})
		t.wantError("Update", err, publish.ErrNotFound)
		t.want("All", t.all(publish.Filter{}))
	}},
	{"an endpoint that is created anew while change runs is another", func(t *trial) {
		e := t.some()
		calls := 0
		t.update(e.ID, func(got *publish.Endpoint) {
			if calls++; calls == 1 {
				t.delete(e.ID)
				again := t.endpoint()
				again.ID, again.Description = e.ID, "again"
				t.create(again)
			}
			got.Scheme = "outer"
		})
		if got := t.get(e.ID); got.Description != "again" || got.Scheme != "outer" {
			t.Errorf("description %q, scheme %q", got.Description, got.Scheme)
		}
	}},
	{"Update ends with its context", func(t *trial) {
		e := t.some()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		calls := 0
		_, err := t.store.Update(ctx, e.ID, func(*publish.Endpoint) error {
			if calls++; calls == 20 {
				cancel()
			}
			if calls > 100 {
				return errors.New("the context has ended")
			}
			t.update(e.ID, func(e *publish.Endpoint) { e.Description = "changes again and again " + strconv.Itoa(calls) })
			return nil
		})
		t.wantError("Update", err, context.Canceled)
	}},
}
