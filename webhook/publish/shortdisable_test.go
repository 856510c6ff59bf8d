package publish_test

import (
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook/publish"
)

// While an endpoint fails, its breaker lets one request through in ten minutes. So there are
// few attempts in a short DisableAfter, however many events there are.
func TestAShortDisableAfterDisablesAnEndpointThatFailsAlways(t *testing.T) {
	for _, limit := range []time.Duration{5 * time.Minute, 20 * time.Minute, 30 * time.Minute, 45 * time.Minute, time.Hour} {
		t.Run(limit.String(), func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				var w words
				r := newRig(t)
				r.Observer, r.DisableAfter = w.observer(), limit
				r.create("a")
				r.net.at("a", status(500))
				r.start()
				for range limit / time.Minute {
					if r.publish(publish.Event{}); len(w.disablings()) != 0 {
						t.Fatal("disabled before its time")
					}
					advance(time.Minute)
				}
				for range 15 {
					r.publish(publish.Event{})
					advance(time.Minute)
				}
				if n := len(w.disablings()); n != 1 {
					t.Errorf("Disabled was called %d times after %d attempts, want once", n, len(r.attempts("a")))
				}
			})
		})
	}
}

func TestAShortDisableAfterDisablesNoEndpointThatIsTriedSeldom(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var w words
		r := newRig(t)
		r.Observer, r.DisableAfter = w.observer(), 20*time.Minute
		r.create("a", func(e *publish.Endpoint) { e.MaxAttempts = 1 })
		r.net.at("a", status(500))
		r.start()
		for range 12 {
			r.publish(publish.Event{})
			advance(30 * time.Minute)
		}
		if n := len(w.disablings()); n != 0 {
			t.Errorf("Disabled was called %d times after %d attempts, half an hour apart", n, len(r.attempts("a")))
		}
	})
}
