package publish_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook/publish"
)

const day = 24 * time.Hour

func TestAnEndpointIsDisabledOnlyIfItWasTriedEnough(t *testing.T) {
	burst := func(days ...float64) (at []float64) {
		for _, d := range days {
			for i := range 4 {
				at = append(at, d+float64(i)/1440) // a minute apart
			}
		}
		return at
	}
	for _, test := range []struct {
		name     string
		attempts int       // of each event; zero means the schedule
		at       []float64 // days at which an event is published
		disabled bool
	}{
		{"one failure, and the next days later", 1, []float64{0, 6}, false},
		{"a failure each second day", 1, []float64{0, 2, 4, 6, 8, 10, 12, 14}, false},
		{"a burst, and another one days later", 1, burst(0, 6), false},
		{"two bursts within five days", 1, burst(0, 1.1, 5.5), false},
		{"a failure each day for five days", 1, []float64{0, 1.01, 2.02, 3.03, 4.04, 5.05}, true},
		{"a failure each day for four days", 1, []float64{0, 1.01, 2.02, 3.03, 4.04}, false},
		{"bursts on three days", 1, burst(0, 2, 4, 6), true},
		{"one event, retried for days, and the next one", 0, []float64{0, 6}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				var w words
				r := newRig(t)
				r.Observer = w.observer()
				r.create("a", func(e *publish.Endpoint) { e.MaxAttempts = test.attempts })
				r.net.at("a", status(500))
				r.start()
				start := time.Now()
				for i, d := range test.at {
					if len(w.disablings()) > 0 {
						break
					}
					advance(time.Until(start.Add(time.Duration(d * float64(day)))))
					r.publish(publish.Event{Type: fmt.Sprintf("event.n%d", i)})
					advance(20 * time.Second)
				}
				advance(time.Hour)
				if n := len(w.disablings()); (n == 1) != test.disabled || n > 1 {
					t.Errorf("Disabled was called %d times after %d attempts", n, len(r.attempts("a")))
				}
			})
		})
	}
}

// What is not known is no evidence.
func TestAnEndpointIsNotDisabledWhileItsAttemptsCannotBeRead(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var w words
		r := newRig(t)
		store := &faultyStore{MemStore: r.store}
		r.use(r.inbox, store)
		r.Observer, r.DisableAfter = w.observer(), time.Hour
		r.create("a")
		r.net.at("a", status(500))
		r.start()
		store.attempts.Store(true)
		for range 20 {
			r.publish(publish.Event{})
			advance(10 * time.Minute)
		}
		if len(w.disablings()) != 0 {
			t.Error("it was disabled")
		}
		store.attempts.Store(false)
		for range 3 {
			r.publish(publish.Event{})
			advance(10 * time.Minute)
		}
		if len(w.disablings()) != 1 {
			t.Errorf("Disabled was called %d times, want once", len(w.disablings()))
		}
	})
}
