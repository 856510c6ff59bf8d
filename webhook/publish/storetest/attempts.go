package storetest

import (
	"fmt"
	"time"

	"github.com/hookhouse/hookhouse/webhook/publish"
)

// attempts are the laws of Attempts.
var attempts = []law{
	{"Attempts returns the newest first", func(t *trial) {
		t.sequence(3, func(i int, a *publish.Attempt) { a.At = someTime.Add(-time.Duration(i) * time.Hour) })
		t.want("Attempts", t.uids(publish.AttemptFilter{}), "2", "1", "0")
	}},
	{"Attempts selects an endpoint", func(t *trial) {
		t.sequence(4, func(i int, a *publish.Attempt) { a.Endpoint = fmt.Sprint("ep", i%2) })
		t.want("Attempts", t.uids(publish.AttemptFilter{Endpoint: "ep1"}), "3", "1")
	}},
	{"Attempts selects an event", func(t *trial) {
		t.sequence(4, func(i int, a *publish.Attempt) { a.Event = fmt.Sprint("event", i%2) })
		t.want("Attempts", t.uids(publish.AttemptFilter{Event: "event1"}), "3", "1")
	}},
	{"Attempts selects a delivery", func(t *trial) {
		t.sequence(3, func(int, *publish.Attempt) {})
		t.want("Attempts", t.uids(publish.AttemptFilter{UID: "1"}), "1")
	}},
	{"Attempts selects results", func(t *trial) {
		t.sequence(4, func(i int, a *publish.Attempt) {
			a.Result = []publish.Result{publish.Delivered, publish.Failed, publish.Rejected, publish.Skipped}[i]
		})
		t.want("Attempts", t.uids(publish.AttemptFilter{Results: []publish.Result{publish.Failed, publish.Skipped}}), "3", "1")
	}},
	{"Attempts selects those that began then or later", func(t *trial) {
		t.hourly(4)
		t.want("Attempts", t.uids(publish.AttemptFilter{From: someTime.Add(2 * time.Hour)}), "3", "2")
	}},
	{"Attempts selects an attempt from its own time on, however exact", func(t *trial) {
		exact := someTime.Add(123456789)
		t.sequence(1, func(_ int, a *publish.Attempt) { a.At = exact })
		t.want("Attempts", t.uids(publish.AttemptFilter{From: exact}), "0")
	}},
	{"Attempts selects those that began before", func(t *trial) {
		t.hourly(4)
		t.want("Attempts", t.uids(publish.AttemptFilter{To: someTime.Add(2 * time.Hour)}), "1", "0")
	}},
	{"an attempt must match all fields of a filter", func(t *trial) {
		t.sequence(8, func(i int, a *publish.Attempt) {
			a.Endpoint, a.Event = fmt.Sprint("ep", i%2), fmt.Sprint("event", i/2%2)
		})
		t.want("Attempts", t.uids(publish.AttemptFilter{Endpoint: "ep1", Event: "event0"}), "5", "1")
	}},
	{"Attempts goes on before a Seq", func(t *trial) {
		t.sequence(4, func(int, *publish.Attempt) {})
		third := t.attempts(publish.AttemptFilter{})[1]
		t.want("Attempts", t.uids(publish.AttemptFilter{Before: third.Seq}), "1", "0")
	}},
	{"Attempts returns the newest up to a limit", func(t *trial) {
		t.sequence(4, func(int, *publish.Attempt) {})
		t.want("Attempts", t.uids(publish.AttemptFilter{Limit: 2}), "3", "2")
	}},
	{"Attempts returns many, each once", func(t *trial) {
		const n = 250
		atOnce(n, func(int) {
			if _, err := t.store.Record(t.Context(), t.attempt("ep", publish.Rejected)); err != nil {
				t.Errorf("Record: %v", err)
			}
		})
		all := t.attempts(publish.AttemptFilter{Endpoint: "ep"})
		for i, a := range all {
			if i > 0 && a.Seq >= all[i-1].Seq {
				t.Fatalf("Seq %d comes after %d", a.Seq, all[i-1].Seq)
			}
		}
		if len(all) != n {
			t.Errorf("%d attempts, want %d", len(all), n)
		}
	}},
	{"a Store can be used while Attempts goes on", func(t *trial) {
		t.sequence(3, func(int, *publish.Attempt) {})
		for a, err := range t.store.Attempts(t.Context(), publish.AttemptFilter{}) {
			if err != nil {
				t.Fatalf("Attempts: %v", err)
			}
			a.Endpoint = "other"
			t.record(a)
		}
	}},
}

// sequence stores n attempts, with the UIDs "0" and so on. Change changes each before.
func (t *trial) sequence(n int, change func(i int, a *publish.Attempt)) {
	t.Helper()
	for i := range n {
		a := t.attempt("ep", publish.Delivered)
		a.UID = fmt.Sprint(i)
		change(i, &a)
		t.record(a)
	}
}

// hourly stores n attempts, each an hour after the one before.
func (t *trial) hourly(n int) {
	t.Helper()
	t.sequence(n, func(i int, a *publish.Attempt) { a.At = someTime.Add(time.Duration(i) * time.Hour) })
}
