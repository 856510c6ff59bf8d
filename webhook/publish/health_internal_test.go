package publish

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

func TestABreakerIsOpenForLongerEachTime(t *testing.T) {
	now := time.Now()
	h := newHealth(&Endpoint{}, fingerprint{}, time.Second, now)
	h.most = 4
	for i, want := range []time.Duration{0, 0, 30, 60, 120, 240, 480, 600, 600} {
		h.fail(0, now)
		if i >= 2 {
			h.fail(0, now) // one that was under way at the same time
		}
		if got := h.openTill.Sub(now); i >= 2 && got != want*time.Second {
			t.Errorf("after failure %d it is open for %v, want %v", i+1, got, want*time.Second)
		}
		now = now.Add(max(h.openTill.Sub(now), 0))
		if r := h.refuse(&Endpoint{}, false, now); r != nil {
			t.Errorf("after failure %d it is not half open: %s", i+1, r.reason)
		}
		h.running++
		if r := h.refuse(&Endpoint{}, false, now); r == nil {
			t.Errorf("after failure %d it has two requests at a time", i+1)
		}
		h.running--
	}
	h.succeed(4, true, now)
	if h.faults != 0 || h.openFor != 0 || !h.proven {
		t.Errorf("after a success it is %+v", h)
	}
}

func TestSuccessesDoubleTheRequestsAtATime(t *testing.T) {
	h := newHealth(&Endpoint{}, fingerprint{}, time.Second, time.Now())
	var got []int
	for range 5 {
		got = append(got, h.most)
		h.succeed(6, true, time.Now())
	}
	h.fail(0, time.Now())
	if got = append(got, h.most); fmt.Sprint(got) != "[1 2 4 6 6 1]" {
		t.Errorf("requests at a time: %v, want 1 2 4 6 6, and 1 after a failure", got)
	}
}

func TestTheLastAttemptProvesAnEndpoint(t *testing.T) {
	for want, last := range map[bool]Attempt{true: {Result: Delivered, Took: time.Second}, false: {Result: Delivered, Took: 4 * time.Second}} {
		if h := newHealth(&Endpoint{Last: last}, fingerprint{}, 3*time.Second, time.Now()); h.proven != want {
			t.Errorf("proven after %+v is %v, want %v", last, h.proven, want)
		}
	}
	if newHealth(&Endpoint{Last: Attempt{Result: Failed}}, fingerprint{}, 3*time.Second, time.Now()).proven {
		t.Error("an endpoint that has failed last is proven")
	}
}

func TestAnAdmissionForgetsIdleEndpoints(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAdmission(8, 15*time.Second)
		for i := range 10_000 {
			v, refused := a.admit(&Endpoint{ID: fmt.Sprint(i)}, fingerprint{}, time.Now())
			if refused != nil {
				t.Fatal(refused.reason)
			}
			v.answered(Delivered, time.Millisecond, 0, 4)
			v.end()
		}
		<-time.After(time.Hour)
		if _, refused := a.admit(&Endpoint{ID: "new"}, fingerprint{}, time.Now()); refused != nil {
			t.Error(refused.reason)
		}
		if n := len(a.endpoints); n != 1 {
			t.Errorf("%d endpoints are remembered after an hour, want 1", n)
		}
	})
}

func TestAVisitGivesBackItsPlaceOnce(t *testing.T) {
	a := newAdmission(2, 15*time.Second)
	v, refused := a.admitTest()
	if refused != nil {
		t.Fatal(refused.reason)
	}
	if _, refused := a.admitTest(); refused == nil {
		t.Error("a second test has a place, of one")
	}
	v.end()
	v.end()
	v.answered(Failed, 0, 0, 1)
	if a.used != 0 {
		t.Errorf("%d places are in use, want none", a.used)
	}
}

func TestANewSecretBeginsAnew(t *testing.T) {
	a := newAdmission(8, 15*time.Second)
	e := &Endpoint{ID: "a"}
	for range faultsToOpen {
		v, refused := a.admit(e, fingerprint{}, time.Now())
		if refused != nil {
			t.Fatal(refused.reason)
		}
		v.answered(Failed, 0, 0, 4)
	}
	if _, refused := a.admit(e, fingerprint{}, time.Now()); refused == nil {
		t.Error("the breaker is not open")
	}
	if _, refused := a.admit(e, fingerprint{1}, time.Now()); refused != nil {
		t.Errorf("with another secret: %s", refused.reason)
	}
}

func TestAShortRetryAfterDoesNotKeepTheBreakerClosed(t *testing.T) {
	now := time.Now()
	h := newHealth(&Endpoint{}, fingerprint{}, time.Second, now)
	for i, want := range []time.Duration{1, 1, 30, 30} {
		h.fail(time.Second, now)
		if got := h.openTill.Sub(now); got != want*time.Second {
			t.Errorf("after failure %d with a Retry-After of 1 s it is open for %v, want %v", i+1, got, want*time.Second)
		}
		now = h.openTill
	}
	h.fail(time.Hour, now)
	if got := h.openTill.Sub(now); got != time.Hour {
		t.Errorf("with a Retry-After of an hour it is open for %v", got)
	}
}
