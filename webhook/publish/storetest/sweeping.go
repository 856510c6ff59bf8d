package storetest

import (
	"time"

	"github.com/hookhouse/hookhouse/webhook/publish"
)

// sweeping are the laws of Sweep. Attempts of endpoints that do not exist are all swept.
var sweeping = []law{
	{"Sweep deletes the attempts that began before the time", func(t *trial) {
		t.hourly(4)
		t.sweep(someTime.Add(2*time.Hour), 0)
		t.want("Attempts", t.uids(publish.AttemptFilter{}), "3", "2")
	}},
	{"Sweep returns how many it has deleted", func(t *trial) {
		t.hourly(4)
		for _, want := range []int{3, 0} {
			if n := t.sweep(someTime.Add(3*time.Hour), 0); n != want {
				t.Errorf("Sweep returned %d, want %d", n, want)
			}
		}
	}},
	{"the last attempt of an endpoint is kept", func(t *trial) {
		e, other := t.some(), t.some()
		for range 3 {
			t.recordAt(e.ID, someTime)
		}
		t.recordAt(other.ID, someTime)
		last := t.get(e.ID).Last
		t.sweep(someTime.Add(time.Hour), 0)
		got := t.attempts(publish.AttemptFilter{})
		if len(got) != 2 || got[1].Seq != last.Seq || t.get(e.ID).Last.Seq != last.Seq {
			t.Errorf("there are %+v, want the last of each endpoint", got)
		}
	}},
	{"an attempt that was the last is swept when there is a later one", func(t *trial) {
		e := t.some()
		t.recordAt(e.ID, someTime)
		t.sweep(someTime.Add(time.Hour), 0)
		t.recordAt(e.ID, someTime.Add(2*time.Hour))
		if n := t.sweep(someTime.Add(time.Hour), 0); n != 1 {
			t.Errorf("%d attempts were swept, want 1", n)
		}
	}},
	{"the last attempt of a deleted endpoint is swept", func(t *trial) {
		e := t.some()
		t.recordAt(e.ID, someTime)
		t.delete(e.ID)
		if n := t.sweep(someTime.Add(time.Hour), 0); n != 1 {
			t.Errorf("%d attempts were swept, want 1", n)
		}
	}},
	{"Sweep deletes the oldest up to a limit", func(t *trial) {
		t.sequence(4, func(i int, a *publish.Attempt) { a.At = someTime.Add(-time.Duration(i) * time.Hour) })
		t.sweep(someTime.Add(time.Hour), 3)
		t.want("Attempts", t.uids(publish.AttemptFilter{}), "0")
	}},
	{"a limit counts what is deleted", func(t *trial) {
		for range 5 {
			t.recordAt(t.some().ID, someTime) // the last of an endpoint
		}
		t.hourly(4)
		if n := t.sweep(someTime.Add(9*time.Hour), 3); n != 3 {
			t.Errorf("%d attempts were swept, want 3", n)
		}
	}},
	{"Sweep without a limit deletes 1000", func(t *trial) {
		atOnce(1010, func(int) {
			if _, err := t.store.Record(t.Context(), t.attempt("ep", publish.Delivered)); err != nil {
				t.Errorf("Record: %v", err)
			}
		})
		if n := t.sweep(someTime.Add(time.Hour), 0); n != 1000 {
			t.Errorf("%d attempts were swept, want 1000", n)
		}
	}},
}
