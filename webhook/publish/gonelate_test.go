package publish_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook/publish"
)

// Two requests get 410. The first disables the endpoint, and it is resumed before the second
// has its answer.
func TestA410ToARequestFromBeforeResumeDoesNotDisableAgain(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var w words
		r := newRig(t)
		r.Observer = w.observer()
		r.create("a")
		r.start()
		for range 3 { // so that it can have several requests at once
			r.publish(publish.Event{})
			advance(time.Second)
		}
		r.net.at("a", after(5*time.Second, status(410)))
		late := r.publish(publish.Event{})
		advance(time.Second)
		r.net.at("a", status(410))
		for range 8 { // some of them in other lanes
			r.publish(publish.Event{})
		}
		advance(time.Second)
		if n := len(w.disablings()); n != 1 {
			t.Fatalf("Disabled was called %d times, want once", n)
		}
		r.net.at("a", status(200))
		if _, err := r.Resume(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		advance(time.Minute)
		if e, err := r.Get(t.Context(), "a"); err != nil || e.State != publish.Active {
			t.Errorf("endpoint = %v, %v, want it active", e, err)
		}
		if n := len(w.disablings()); n != 1 {
			t.Errorf("Disabled was called %d times, want once", n)
		}
		var results []publish.Result
		for _, a := range r.attempts("a") {
			if a.Event == late {
				results = append(results, a.Result)
			}
		}
		if diff := cmp.Diff([]publish.Result{publish.Failed, publish.Delivered}, results); diff != "" {
			t.Errorf("attempts of the late one (-want +got):\n%s", diff)
		}
	})
}
