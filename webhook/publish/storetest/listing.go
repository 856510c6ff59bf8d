package storetest

import (
	"time"

	"github.com/hookhouse/hookhouse/webhook/publish"
)

// listing are the laws of All.
var listing = []law{
	{"All returns endpoints in the order of their creation", func(t *trial) {
		for _, id := range []string{"c", "a", "b"} {
			e := t.endpoint()
			e.ID, e.Created = id, someTime.Add(-time.Duration(t.count)*time.Hour)
			t.create(e)
		}
		t.want("All", t.all(publish.Filter{}), "c", "a", "b")
	}},
	{"All returns endpoints with every field", func(t *trial) {
		e := t.full()
		t.create(e)
		for got, err := range t.store.All(t.Context(), publish.Filter{}) {
			if err != nil {
				t.Fatalf("All: %v", err)
			}
			t.wantFields(got, e)
		}
	}},
	{"All returns endpoints with their last attempts", func(t *trial) {
		e, other := t.some(), t.some()
		for _, id := range []string{e.ID, e.ID, other.ID} {
			t.record(t.attempt(id, publish.Rejected))
		}
		for got, err := range t.store.All(t.Context(), publish.Filter{}) {
			if err != nil {
				t.Fatalf("All: %v", err)
			}
			if last := t.attempts(publish.AttemptFilter{Endpoint: got.ID})[0]; got.Last.Seq != last.Seq || got.Last.Result != publish.Rejected {
				t.Errorf("the last attempt of %s is %+v, want %+v", got.ID, got.Last, last)
			}
		}
	}},
	{"All selects owners", func(t *trial) {
		t.owned("a", "b", "a", "c", "b")
		t.want("All", t.all(publish.Filter{Owners: []string{"a", "c"}}), number(1, 3, 4)...)
	}},
	{"All selects endpoints without an owner", func(t *trial) {
		t.owned("", "b", "")
		t.want("All", t.all(publish.Filter{Owners: []string{""}}), number(1, 3)...)
	}},
	{"All selects a name, without regard to case", func(t *trial) {
		t.some()
		e := t.endpoint()
		e.Name = "Élan Vital"
		t.create(e)
		t.want("All", t.all(publish.Filter{Name: "élan vital"}), e.ID)
	}},
	{"All selects states", func(t *trial) {
		for _, s := range []publish.State{publish.Active, publish.Paused, publish.Disabled, publish.Active} {
			e := t.endpoint()
			e.State = s
			t.create(e)
		}
		t.want("All", t.all(publish.Filter{States: []publish.State{publish.Disabled, publish.Active}}), number(1, 3, 4)...)
	}},
	{"All selects endpoints that are failing", func(t *trial) {
		t.some()
		e := t.some()
		t.record(t.attempt(e.ID, publish.Failed))
		t.want("All", t.all(publish.Filter{Failing: true}), e.ID)
	}},
	{"an endpoint must match all fields of a Filter", func(t *trial) {
		t.owned("a", "b", "a")
		t.record(t.attempt(number(1)[0], publish.Failed))
		t.record(t.attempt(number(2)[0], publish.Failed))
		t.want("All", t.all(publish.Filter{Owners: []string{"a"}, Failing: true, States: []publish.State{publish.Active}}), number(1)...)
	}},
	{"All goes on after a Seq", func(t *trial) {
		t.some()
		after := t.some().Seq
		t.some()
		t.some()
		t.want("All", t.all(publish.Filter{After: after}), number(3, 4)...)
	}},
	{"All returns the first up to a limit", func(t *trial) {
		t.owned("a", "a", "a", "a")
		t.want("All", t.all(publish.Filter{Limit: 2}), number(1, 2)...)
	}},
	{"All returns many endpoints, each once", func(t *trial) {
		const n = 220
		for range n {
			t.some()
		}
		all := t.all(publish.Filter{Owners: []string{someOwner}})
		for i, id := range all {
			if id != number(i + 1)[0] {
				t.Fatalf("endpoint %d is %s", i, id)
			}
		}
		if len(all) != n {
			t.Errorf("%d endpoints, want %d", len(all), n)
		}
	}},
	{"a Store can be used while All goes on", func(t *trial) {
		t.owned("a", "a", "a")
		for e, err := range t.store.All(t.Context(), publish.Filter{}) {
			if err != nil {
				t.Fatalf("All: %v", err)
			}
			t.update(e.ID, func(e *publish.Endpoint) { e.Description = "seen" })
			t.record(t.attempt(e.ID, publish.Delivered))
		}
	}},
}

// owned stores an endpoint for each owner, with the numbers 1 and so on.
func (t *trial) owned(owners ...string) {
	t.Helper()
	for _, owner := range owners {
		e := t.endpoint()
		e.Owner = owner
		t.create(e)
	}
}
