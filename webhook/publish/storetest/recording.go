package storetest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hookhouse/hookhouse/webhook/publish"
)

// longText is longer than what is kept of any text, and has no two equal parts.
var longText = func() string {
	var b strings.Builder
	for i := range 4000 {
		fmt.Fprintf(&b, "%d ", i)
	}
	return b.String()
}()

// recording are the laws of Record about the attempt.
var recording = []law{
	{"an attempt is stored with every field", func(t *trial) {
		want := publish.Attempt{
			Endpoint: "ep", Event: "event 1", UID: "uid 1", Type: "alpha.event", Number: 3, At: someTime, Took: 1500 * time.Millisecond,
			Result: publish.Failed, Status: 503, Reason: "because <äöü>", Response: "no\r\n\t", Next: someTime.Add(time.Hour),
		}
		t.record(want)
		got := t.attempts(publish.AttemptFilter{})
		if len(got) != 1 {
			t.Fatalf("there are %d attempts, want 1", len(got))
		}
		t.wantAttempt(got[0], want)
	}},
	{"an attempt has a higher Seq than those that were recorded before", func(t *trial) {
		for range 3 {
			t.record(t.attempt("ep", publish.Delivered))
		}
		if list := t.attempts(publish.AttemptFilter{}); len(list) != 3 || list[0].Seq <= list[1].Seq || list[1].Seq <= list[2].Seq {
			t.Errorf("%+v", list)
		}
	}},
	{"Record ignores Seq", func(t *trial) {
		a := t.attempt("ep", publish.Delivered)
		a.Seq = 1 << 40
		t.record(a)
		if got := t.attempts(publish.AttemptFilter{})[0].Seq; got == a.Seq {
			t.Errorf("Seq is %d", got)
		}
	}},
	{"times of an attempt are kept to the microsecond", func(t *trial) {
		a := t.attempt("ep", publish.Delivered)
		a.At, a.Took = someTime.Add(123456789), 123456789
		t.record(a)
		got := t.attempts(publish.AttemptFilter{})[0]
		if got.At.Sub(a.At).Abs() >= time.Microsecond || (got.Took-a.Took).Abs() >= time.Microsecond {
			t.Errorf("it began at %v and took %v, want %v and %v", got.At, got.Took, a.At, a.Took)
		}
	}},
	{"attempts that are recorded at once are all stored", func(t *trial) {
		const n = 300
		atOnce(n, func(i int) {
			a := t.attempt(fmt.Sprint("ep", i%7), publish.Delivered)
			a.UID = fmt.Sprint(i)
			if _, err := t.store.Record(t.Context(), a); err != nil {
				t.Errorf("Record: %v", err)
			}
		})
		all := t.uids(publish.AttemptFilter{})
		slices.Sort(all)
		if n := len(slices.Compact(all)); n != 300 {
			t.Errorf("%d attempts are stored, want 300", n)
		}
	}},
	{"the same attempt can be recorded again", func(t *trial) {
		for range 2 {
			t.record(t.attempt("again", publish.Rejected))
		}
		if n := len(t.attempts(publish.AttemptFilter{})); n != 2 {
			t.Errorf("it is stored %d times, want 2", n)
		}
	}},
	{"an attempt of an unknown endpoint is stored", func(t *trial) {
		if t.record(t.attempt("unknown", publish.Failed)) {
			t.Errorf("its failing began")
		}
		if n := len(t.attempts(publish.AttemptFilter{Endpoint: "unknown"})); n != 1 {
			t.Errorf("there are %d attempts, want 1", n)
		}
	}},
	{"a long Reason and a long Response are cut", func(t *trial) {
		a := t.attempt("ep", publish.Delivered)
		a.Reason, a.Response = longText, longText
		t.record(a)
		got := t.attempts(publish.AttemptFilter{})[0]
		if got.Reason != longText[:4<<10] || got.Response != longText[:1<<10] {
			t.Errorf("Reason has %d bytes and Response %d, want %d and %d", len(got.Reason), len(got.Response), 4<<10, 1<<10)
		}
	}},
	{"what is no text in a Reason or a Response is replaced", func(t *trial) {
		a := t.attempt("ep", publish.Delivered)
		a.Reason, a.Response = "a\xffb\x00c", strings.Repeat("\xff\x00", 1<<10)
		t.record(a)
		got := t.attempts(publish.AttemptFilter{})[0]
		if got.Reason != "a\uFFFDb\uFFFDc" || strings.Trim(got.Response, "\uFFFD") != "" || len(got.Response) > 1<<10 {
			t.Errorf("Reason is %q, and Response has %d bytes", got.Reason, len(got.Response))
		}
	}},
	{"Record refuses an invalid attempt", func(t *trial) {
		for what, a := range t.invalidAttempts() {
			_, err := t.store.Record(t.Context(), a)
			t.wantError("Record of an attempt with "+what, err, publish.ErrAttempt)
		}
	}},
	{"nothing of an attempt that was refused is stored", func(t *trial) {
		e := t.some()
		a := t.attempt(e.ID, publish.Failed)
		a.Number = 0
		_, err := t.store.Record(t.Context(), a)
		t.wantError("Record", err, publish.ErrAttempt)
		if got := t.get(e.ID); !got.FailingSince.IsZero() || len(t.attempts(publish.AttemptFilter{})) != 0 {
			t.Errorf("failing since %v, with the attempts %+v", got.FailingSince, t.attempts(publish.AttemptFilter{}))
		}
	}},
	{"an attempt that is refused does not keep those recorded with it from being stored", func(t *trial) {
		const n = 60
		atOnce(n, func(i int) {
			a := t.attempt("beside", publish.Delivered)
			if a.UID = fmt.Sprint(i); i%10 == 0 {
				a.Number = 0
			}
			if _, err := t.store.Record(t.Context(), a); (err == nil) != (a.Number > 0) {
				t.Errorf("Record of an attempt with the number %d: %v", a.Number, err)
			}
		})
		if got := len(t.attempts(publish.AttemptFilter{Endpoint: "beside"})); got != n-n/10 {
			t.Errorf("%d attempts are stored, want %d", got, n-n/10)
		}
	}},
	{"Get returns the attempt that was recorded last", func(t *trial) {
		e := t.some()
		for i, uid := range []string{"first", "second"} {
			a := t.attempt(e.ID, publish.Delivered)
			a.UID, a.At = uid, someTime.Add(-time.Duration(i)*time.Hour)
			t.record(a)
		}
		t.record(t.attempt("other", publish.Failed))
		if got := t.get(e.ID).Last; got.UID != "second" || got.Seq == 0 {
			t.Errorf("the last attempt is %+v", got)
		}
	}},
	{"Last is zero without an attempt", func(t *trial) {
		e := t.some()
		t.record(t.attempt("other", publish.Failed))
		if got := t.get(e.ID).Last; got != (publish.Attempt{}) {
			t.Errorf("the last attempt is %+v", got)
		}
	}},
}

func (t *trial) invalidAttempts() map[string]publish.Attempt {
	list := make(map[string]publish.Attempt)
	for what, change := range map[string]func(a *publish.Attempt){
		"no endpoint":        func(a *publish.Attempt) { a.Endpoint = "" },
		"a long event":       func(a *publish.Attempt) { a.Event = strings.Repeat("e", 256) },
		"a NUL in its UID":   func(a *publish.Attempt) { a.UID = "a\x00b" },
		"a type of no UTF-8": func(a *publish.Attempt) { a.Type = "a\xffb" },
		"a negative number":  func(a *publish.Attempt) { a.Number = -1 },
		"a large number":     func(a *publish.Attempt) { a.Number = 1 << 31 },
		"no time":            func(a *publish.Attempt) { a.At = time.Time{} },
		"a negative time":    func(a *publish.Attempt) { a.Took = -1 },
		"no result":          func(a *publish.Attempt) { a.Result = "" },
		"a status of 7":      func(a *publish.Attempt) { a.Status = 7 },
	} {
		a := t.attempt("ep", publish.Delivered)
		change(&a)
		list[what] = a
	}
	return list
}
