package publish_test

import (
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/publish"
)

// Processes are killed again and again while they hand out an event, as by a probe while the
// database hangs. The event has no part in that.
func TestAnEventOutlivesManyKills(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t)
		r.create("a")
		r.publish(publish.Event{})
		for range 20 {
			claims, err := r.inbox.Claim(t.Context(), webhook.ClaimOptions{Lease: time.Second, Types: []string{"publish.event"}})
			if err != nil || len(claims) != 1 {
				t.Fatal(claims, err)
			}
			if claims[0].Suspect {
				if _, err := r.inbox.Begin(t.Context(), claims[0]); err != nil {
					t.Fatal(err)
				}
			}
			advance(2 * time.Second)
		}
		r.start()
		advance(time.Minute)
		if n := len(r.net.to("a")); n != 1 {
			t.Errorf("%d requests after 20 kills, want 1", n)
		}
	})
}
