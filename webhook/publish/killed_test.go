package publish_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/publish"
)

// What two killed processes had under way is tried again by the third. Endpoints that hang hold
// up neither those deliveries nor new ones.
func TestAfterTwoKillsEndpointsThatHangDelayNoOther(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t)
		for i := range 6 {
			name := fmt.Sprint("hanging", i)
			r.create(name)
			r.net.at(name, hang)
		}
		r.create("good")
		r.publish(publish.Event{})
		if err := webhook.NewWorker(r.inbox, r.onlyEvents()).Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		for range 2 { // processes that are killed while they have all of it under way
			claims, err := r.inbox.Claim(t.Context(), webhook.ClaimOptions{N: 100, Lease: time.Second, Types: []string{"publish.delivery"}})
			if err != nil || len(claims) != 7 {
				t.Fatalf("%d claims, %v, want 7", len(claims), err)
			}
			advance(2 * time.Second)
		}
		r.start()
		advance(2 * time.Second)
		r.publish(publish.Event{})
		advance(2 * time.Second)
		if n := len(r.net.to("good")); n != 2 {
			t.Errorf("%d requests to the good endpoint within 4s, want both events", n)
		}
		advance(time.Minute)
		for i := range 6 {
			for _, a := range r.attempts(fmt.Sprint("hanging", i)) {
				if a.Number > 2 {
					t.Errorf("a delivery that was lost twice has the attempt %d, want lost ones not counted", a.Number)
				}
			}
		}
	})
}

// onlyEvents returns a Handler that hands out events, and sends nothing.
func (r *rig) onlyEvents() webhook.Handler {
	var mux webhook.Mux
	mux.Route("publish.event", r.Publisher)
	return &mux
}
