package storetest

import (
	"errors"
	"strings"
	"sync/atomic"

	"github.com/hookhouse/hookhouse/webhook/publish"
)

// renaming are the laws of an Update that changes the name.
var renaming = []law{
	{"Update refuses the name of another endpoint", func(t *trial) {
		e, other := t.some(), t.some()
		_, err := t.store.Update(t.Context(), e.ID, func(e *publish.Endpoint) error {
			e.Name = strings.ToUpper(other.Name)
			return nil
		})
		t.wantError("Update", err, publish.ErrExists)
	}},
	{"Update can write a name in another case", func(t *trial) {
		e := t.some()
		t.update(e.ID, func(e *publish.Endpoint) { e.Name = strings.ToUpper(e.Name) })
		if got := t.get(e.ID).Name; got != strings.ToUpper(e.Name) {
			t.Errorf("the name is %q", got)
		}
	}},
	{"a name that an endpoint gave up is free", func(t *trial) {
		e := t.some()
		t.update(e.ID, func(e *publish.Endpoint) { e.Name = "given up for this" })
		other := t.endpoint()
		other.Name = e.Name
		t.create(other)
	}},
	{"a name that an endpoint gives up while change runs is free", func(t *trial) {
		e, other := t.some(), t.endpoint()
		other.Name = e.Name
		got := t.update(e.ID, func(outer *publish.Endpoint) {
			if outer.Name == other.Name {
				t.update(e.ID, func(inner *publish.Endpoint) { inner.Name = "given up meanwhile" })
				t.create(other)
			}
			outer.Scheme = "outer"
		})
		if got.Name != "given up meanwhile" || got.Scheme != "outer" {
			t.Errorf("name %q, scheme %q", got.Name, got.Scheme)
		}
	}},
	{"of endpoints that take one name at once, one gets it", func(t *trial) {
		const n = 8
		list := make([]*publish.Endpoint, n)
		for i := range list {
			list[i] = t.some()
		}
		var renamed atomic.Int64
		atOnce(n, func(i int) {
			_, err := t.store.Update(t.Context(), list[i].ID, func(e *publish.Endpoint) error {
				e.Name = "taken at once"
				return nil
			})
			switch {
			case err == nil:
				renamed.Add(1)
			case !errors.Is(err, publish.ErrExists):
				t.Errorf("Update returned %v, want ErrExists", err)
			}
		})
		if renamed.Load() != 1 {
			t.Errorf("%d calls of Update succeeded", renamed.Load())
		}
	}},
}

// deleting are the laws of Delete.
var deleting = []law{
	{"Get does not find a deleted endpoint", func(t *trial) {
		e := t.some()
		t.delete(e.ID)
		_, err := t.store.Get(t.Context(), e.ID)
		t.wantError("Get", err, publish.ErrNotFound)
	}},
	{"All does not find a deleted endpoint", func(t *trial) {
		e, other := t.some(), t.some()
		t.delete(e.ID)
		t.want("All", t.all(publish.Filter{}), other.ID)
	}},
	{"Match does not find a deleted endpoint", func(t *trial) {
		e, other := t.some(), t.some()
		t.delete(e.ID)
		t.want("Match", t.matches(someType), other.ID)
	}},
	{"the name of a deleted endpoint is free", func(t *trial) {
		e := t.some()
		t.delete(e.ID)
		other := t.endpoint()
		other.Name = e.Name
		t.create(other)
	}},
	{"an endpoint can be created with the ID of a deleted one", func(t *trial) {
		e := t.some()
		t.delete(e.ID)
		other := t.endpoint("other.event")
		other.ID = e.ID
		t.create(other)
		t.want("Match of the pattern of the deleted one", t.matches(someType))
	}},
	{"the attempts of a deleted endpoint remain", func(t *trial) {
		e := t.some()
		t.record(t.attempt(e.ID, publish.Failed))
		t.delete(e.ID)
		if n := len(t.attempts(publish.AttemptFilter{Endpoint: e.ID})); n != 1 {
			t.Errorf("there are %d attempts, want 1", n)
		}
	}},
	{"Delete of an unknown ID is ErrNotFound", func(t *trial) {
		t.some()
		t.wantError("Delete", t.store.Delete(t.Context(), "unknown"), publish.ErrNotFound)
	}},
}
