package storetest

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/hookhouse/hookhouse/webhook/publish"
)

// failing are the laws of Record about the failing of an endpoint.
var failing = []law{
	{"the failing of an endpoint begins when the failed attempt began", func(t *trial) {
		e := t.some()
		t.record(t.attempt(e.ID, publish.Failed))
		if got := t.get(e.ID).FailingSince; !got.Equal(someTime) {
			t.Errorf("failing since %v, want %v", got, someTime)
		}
	}},
	{"began is true if the failing begins", func(t *trial) {
		e := t.endpoint()
		e.ID = "begins"
		t.create(e)
		if !t.record(t.attempt(e.ID, publish.Failed)) {
			t.Errorf("began is false")
		}
	}},
	{"began is false if the endpoint is failing", func(t *trial) {
		e := t.endpoint()
		e.ID = "goes on"
		t.create(e)
		for i := range 3 {
			a := t.attempt(e.ID, publish.Failed)
			a.UID = fmt.Sprint(i)
			if began := t.record(a); began && i > 0 {
				t.Errorf("failing began again")
			}
		}
	}},
	{"a later failure does not change since when an endpoint is failing", func(t *trial) {
		e := t.some()
		for i := range 3 {
			a := t.attempt(e.ID, publish.Failed)
			a.At = someTime.Add(time.Duration(i) * time.Hour)
			t.record(a)
		}
		if got := t.get(e.ID).FailingSince; !got.Equal(someTime) {
			t.Errorf("failing since %v, want %v", got, someTime)
		}
	}},
	{"a success ends the failing", func(t *trial) {
		e := t.some()
		t.record(t.attempt(e.ID, publish.Failed))
		t.record(t.attempt(e.ID, publish.Delivered))
		if got := t.get(e.ID).FailingSince; !got.IsZero() {
			t.Errorf("failing since %v", got)
		}
	}},
	{"after a success the failing can begin again", func(t *trial) {
		e := t.some()
		t.record(t.attempt(e.ID, publish.Failed))
		t.record(t.attempt(e.ID, publish.Delivered))
		again := t.attempt(e.ID, publish.Failed)
		again.At = someTime.Add(time.Hour)
		began := t.record(again)
		if got := t.get(e.ID).FailingSince; !began || !got.Equal(again.At) {
			t.Errorf("began is %v, failing since %v", began, got)
		}
	}},
	{"rejected and skipped attempts do not begin the failing", func(t *trial) {
		e := t.some()
		for _, r := range []publish.Result{publish.Rejected, publish.Skipped} {
			began := t.record(t.attempt(e.ID, r))
			if got := t.get(e.ID).FailingSince; began || !got.IsZero() {
				t.Errorf("after %s: began is %v, failing since %v", r, began, got)
			}
		}
	}},
	{"rejected and skipped attempts do not end the failing", func(t *trial) {
		e := t.some()
		t.record(t.attempt(e.ID, publish.Failed))
		for _, r := range []publish.Result{publish.Rejected, publish.Skipped} {
			t.record(t.attempt(e.ID, r))
			if t.get(e.ID).FailingSince.IsZero() {
				t.Errorf("the failing ended with %s", r)
			}
		}
	}},
	{"an attempt does not change the State", func(t *trial) {
		e := t.endpoint()
		e.State = publish.Paused
		t.create(e)
		for _, r := range []publish.Result{publish.Failed, publish.Delivered} {
			t.record(t.attempt(e.ID, r))
			if got := t.get(e.ID).State; got != publish.Paused {
				t.Errorf("after %s the state is %s", r, got)
			}
		}
	}},
	{"an attempt changes no other endpoint", func(t *trial) {
		e, good, bad := t.some(), t.some(), t.some()
		t.record(t.attempt(bad.ID, publish.Failed))
		t.record(t.attempt(e.ID, publish.Failed))
		t.record(t.attempt(e.ID, publish.Delivered))
		if g, b := t.get(good.ID).FailingSince, t.get(bad.ID).FailingSince; !g.IsZero() || b.IsZero() {
			t.Errorf("one without attempts is failing since %v, and one that failed since %v", g, b)
		}
	}},
	{"of failures that are recorded at once, one begins the failing", func(t *trial) {
		e := t.some()
		var begun atomic.Int64
		atOnce(16, func(i int) {
			a := t.attempt(e.ID, publish.Failed)
			a.UID = fmt.Sprint(i)
			began, err := t.store.Record(t.Context(), a)
			if err != nil {
				t.Errorf("Record: %v", err)
			}
			if began {
				begun.Add(1)
			}
		})
		if n := begun.Load(); n != 1 {
			t.Errorf("the failing began %d times", n)
		}
	}},
	{"the failing of many endpoints begins and ends at once", func(t *trial) {
		const n = 10
		for range n {
			t.some()
		}
		for _, r := range []publish.Result{publish.Failed, publish.Delivered} {
			atOnce(8*n, func(i int) {
				if _, err := t.store.Record(t.Context(), t.attempt(number(i%n + 1)[0], r)); err != nil {
					t.Errorf("Record: %v", err)
				}
			})
			if got := len(t.all(publish.Filter{Failing: true})); got != map[publish.Result]int{publish.Failed: n}[r] {
				t.Errorf("after %s, %d of %d are failing", r, got, n)
			}
		}
	}},
}
