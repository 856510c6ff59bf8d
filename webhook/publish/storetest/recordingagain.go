package storetest

import (
	"time"

	"github.com/hookhouse/hookhouse/webhook/publish"
)

// again are the laws of an attempt that is recorded again, because the answer to its Record
// was lost.
var again = []law{
	{"began is true again if the attempt that began the failing is recorded again", func(t *trial) {
		e := t.some()
		first, later := t.attempt(e.ID, publish.Failed), t.attempt(e.ID, publish.Failed)
		later.UID, later.At = "later", someTime.Add(time.Hour)
		t.record(first)
		t.record(later)
		if !t.record(first) {
			t.Errorf("began is false for the attempt that has begun the failing")
		}
		if t.record(later) {
			t.Errorf("began is true for another attempt that is recorded again")
		}
	}},
	{"began is false again for another failure that began at the same time", func(t *trial) {
		e := t.some()
		first, other := t.attempt(e.ID, publish.Failed), t.attempt(e.ID, publish.Failed)
		other.UID = "other"
		t.record(first)
		for range 2 {
			if t.record(other) {
				t.Errorf("began is true for both")
			}
		}
	}},
	{"an attempt that is recorded again does not begin the failing again", func(t *trial) {
		e := t.some()
		t.record(t.attempt(e.ID, publish.Failed))
		success := t.attempt(e.ID, publish.Delivered)
		success.UID, success.At = "later", someTime.Add(time.Hour)
		t.record(success)
		began := t.record(t.attempt(e.ID, publish.Failed))
		if got := t.get(e.ID).FailingSince; began || !got.IsZero() {
			t.Errorf("began is %v, failing since %v, which a success has ended", began, got)
		}
	}},
	{"an attempt that is recorded again does not end the failing again", func(t *trial) {
		e := t.some()
		t.record(t.attempt(e.ID, publish.Delivered))
		failure := t.attempt(e.ID, publish.Failed)
		failure.UID, failure.At = "later", someTime.Add(time.Hour)
		t.record(failure)
		t.record(t.attempt(e.ID, publish.Delivered))
		if got := t.get(e.ID).FailingSince; !got.Equal(failure.At) {
			t.Errorf("failing since %v, want %v", got, failure.At)
		}
	}},
}
