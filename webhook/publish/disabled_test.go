package publish_test

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/publish"
)

// words are what the Observer gets for the owner.
type words struct {
	mu       sync.Mutex
	failing  []publish.Attempt
	disabled []*publish.Endpoint
}

func (w *words) observer() *publish.Observer {
	return &publish.Observer{
		Failing: func(_ context.Context, _ *publish.Endpoint, a publish.Attempt) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.failing = append(w.failing, a)
		},
		Disabled: func(_ context.Context, e *publish.Endpoint) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.disabled = append(w.disabled, e)
		},
	}
}

func (w *words) failures() []publish.Attempt {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.failing)
}

func (w *words) disablings() []*publish.Endpoint {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.disabled)
}

func TestGoneDisablesAtOnce(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var w words
		r := newRig(t)
		r.Observer = w.observer()
		r.create("a")
		r.net.at("a", status(410))
		r.start()
		r.publish(publish.Event{})
		advance(time.Second)
		e, err := r.Get(t.Context(), "a")
		if err != nil || e.State != publish.Disabled || e.Reason == "" {
			t.Errorf("endpoint = %v, %v, want it disabled with a reason", e, err)
		}
		r.publish(publish.Event{})
		advance(time.Hour)
		if n := len(r.net.to("a")); n != 1 {
			t.Errorf("%d requests, want 1", n)
		}
		if diff := cmp.Diff(map[webhook.State]int{webhook.Dead: 1}, r.states("a")); diff != "" {
			t.Errorf("deliveries of a disabled endpoint are not recorded (-want +got):\n%s", diff)
		}
		if len(w.disablings()) != 1 || len(w.failures()) != 1 {
			t.Errorf("Failing was called %d times and Disabled %d times, want once each", len(w.failures()), len(w.disablings()))
		}
	})
}

func TestAnEndpointThatFailsForDisableAfterIsDisabled(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var w words
		r := newRig(t)
		r.Observer, r.DisableAfter = w.observer(), 2*time.Hour
		r.create("a")
		r.net.at("a", status(500))
		r.start()
		id := r.publish(publish.Event{Type: "first.one"})
		for range 11 {
			advance(10 * time.Minute)
			r.publish(publish.Event{})
		}
		if len(w.disablings()) != 0 {
			t.Fatalf("disabled before its time: %v", w.disablings())
		}
		advance(40 * time.Minute)
		if len(w.disablings()) != 1 || w.disablings()[0].State != publish.Disabled || w.disablings()[0].Reason != "it has failed for 2h0m0s" {
			t.Fatalf("Disabled got %v, want the endpoint once", w.disablings())
		}
		if len(w.failures()) != 1 || w.failures()[0].Event != id || w.failures()[0].Type != "first.one" || w.failures()[0].Status != 500 {
			t.Errorf("Failing got %+v, want one attempt with event, type and status", w.failures())
		}
		n := len(r.net.to("a"))
		advance(5 * time.Hour)
		if got := len(r.net.to("a")); got != n {
			t.Errorf("%d requests after it was disabled", got-n)
		}
		if s := r.states("a"); s[webhook.Dead] != 12 {
			t.Errorf("deliveries %v, want all 12 dead, so that Resend finds them", s)
		}
	})
}

func TestABurstOfFailuresDoesNotDisable(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var w words
		r := newRig(t)
		r.Observer = w.observer()
		r.create("a")
		r.net.at("a", status(500))
		r.start()
		for range 200 {
			r.publish(publish.Event{})
		}
		advance(time.Minute)
		r.net.at("a", status(200))
		advance(4 * time.Hour)
		e, err := r.Get(t.Context(), "a")
		if err != nil || e.State != publish.Active || !e.FailingSince.IsZero() {
			t.Errorf("endpoint = %v failing since %v, %v, want it active", e, e.FailingSince, err)
		}
		if diff := cmp.Diff(map[webhook.State]int{webhook.Done: 200}, r.states("a")); diff != "" {
			t.Errorf("deliveries after it has recovered (-want +got):\n%s", diff)
		}
		if len(w.failures()) != 1 {
			t.Errorf("Failing was called %d times, want once", len(w.failures()))
		}
	})
}

func TestSuccessEndsFailing(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var w words
		r := newRig(t)
		r.Observer, r.DisableAfter = w.observer(), time.Hour
		r.create("a")
		r.start()
		for i := range 9 {
			r.net.at("a", status(500))
			r.publish(publish.Event{})
			advance(time.Second)
			r.net.at("a", status(200))
			advance(20 * time.Minute)
			if len(w.failures()) != i+1 {
				t.Errorf("round %d: Failing was called %d times", i, len(w.failures()))
			}
		}
		if len(w.disablings()) != 0 {
			t.Errorf("disabled although it succeeds now and then: %v", w.disablings()[0].Reason)
		}
	})
}

func TestASuccessInAnotherProcessPreventsDisabling(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var w words
		r := newRig(t)
		r.Observer, r.DisableAfter = w.observer(), time.Hour
		r.create("a")
		r.net.at("a", status(500))
		r.start()
		r.publish(publish.Event{})
		advance(59 * time.Minute)
		r.net.at("a", func(req *http.Request, body []byte) (*http.Response, error) {
			other := r.attempts("a")[0]
			other.At = time.Now()
			for _, other.Result = range []publish.Result{publish.Delivered, publish.Failed} {
				if _, err := r.store.Record(t.Context(), other); err != nil {
					t.Error(err)
				}
			}
			return status(500)(req, body)
		})
		advance(10 * time.Minute)
		r.publish(publish.Event{})
		advance(time.Minute)
		if len(w.disablings()) != 0 {
			t.Error("disabled although another process has had a success")
		}
	})
}

func TestAnswersAboutTheEventDoNotMakeTheEndpointFail(t *testing.T) {
	for _, code := range []int{400, 409, 413, 415, 422} {
		inBubble(t, func(t *testing.T) {
			var w words
			r := newRig(t)
			r.Observer = w.observer()
			r.create("a")
			r.net.at("a", status(code))
			r.start()
			for range 5 {
				r.publish(publish.Event{})
			}
			advance(20 * time.Second)
			if n := len(r.net.to("a")); n != 10 {
				t.Errorf("status %d: %d requests in 20s, want 10: no breaker opens", code, n)
			}
			if len(w.failures()) != 0 {
				t.Errorf("status %d: Failing was called", code)
			}
			if a := r.attempts("a")[0]; a.Result != publish.Rejected {
				t.Errorf("status %d is recorded as %s, want rejected", code, a.Result)
			}
		})
	}
}
