package publish_test

import (
	"context"
	"net/http"
	"sync/atomic"
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

// A patientStore records an attempt only after wait has returned.
type patientStore struct {
	*publish.MemStore
	wait func()
}

func (s *patientStore) Record(ctx context.Context, a publish.Attempt) (bool, error) {
	s.wait()
	return s.MemStore.Record(ctx, a)
}

// Two requests are under way. The first gets 410, and in one instant, as by a clock that was
// set back, the endpoint is resumed, disabled and resumed. Then the second gets 410.
func TestAnAnswerFromBeforeResumeIsKnownWithinOneInstant(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t)
		second, resumed := make(chan struct{}), make(chan struct{})
		r.use(r.inbox, &patientStore{r.store, func() { <-second }})
		disablings := 0
		r.Observer = &publish.Observer{Disabled: func(ctx context.Context, _ *publish.Endpoint) {
			if disablings++; disablings > 1 {
				return
			}
			r.net.at("a", status(200))
			if _, err := r.Resume(ctx, "a"); err != nil {
				t.Error(err)
			}
			close(resumed)
		}}
		var requests atomic.Int32
		r.net.at("a", func(req *http.Request, body []byte) (*http.Response, error) {
			n := requests.Add(1)
			if n == 2 {
				close(second)
			}
			if n > 1 {
				<-resumed
			}
			return status(410)(req, body)
		})
		r.create("a", func(e *publish.Endpoint) { e.State = publish.Paused })
		r.start()
		for range 40 { // some of them in other lanes
			r.publish(publish.Event{})
		}
		advance(time.Second)
		if _, err := r.Resume(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		advance(time.Minute)
		if e, err := r.Get(t.Context(), "a"); err != nil || e.State != publish.Active || disablings != 1 {
			t.Errorf("endpoint = %v, %v, disabled %d times, want it active, and once", e, err, disablings)
		}
	})
}
