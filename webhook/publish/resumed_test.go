package publish_test

import (
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook/publish"
)

// Another process resumes and updates: an admin page beside processes that send.
func TestAnotherProcessEndsWhatTheBreakerHoldsBack(t *testing.T) {
	for name, heal := range map[string]func(*testing.T, *publish.Publisher) error{
		"resumed": func(t *testing.T, p *publish.Publisher) error {
			_, err := p.Resume(t.Context(), "a")
			return err
		},
		"paused and resumed": func(t *testing.T, p *publish.Publisher) error {
			if _, err := p.Pause(t.Context(), "a", ""); err != nil {
				return err
			}
			_, err := p.Resume(t.Context(), "a")
			return err
		},
		"moved": func(t *testing.T, p *publish.Publisher) error {
			_, err := p.Update(t.Context(), "a", func(e *publish.Endpoint) error {
				e.URL = "https://moved/"
				return nil
			})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				r := newRig(t)
				r.create("a", func(e *publish.Endpoint) { e.Lanes = 1 }) // the retry is not the next of another lane
				r.net.at("a", failOnce(503, "Retry-After", "86400"))
				r.start()
				admin := publish.New(r.inbox, r.store)
				admin.Transport, admin.Logger = r.net, r.logger
				for range 20 {
					r.publish(publish.Event{})
					advance(20 * time.Millisecond) // so that the sender has read it just now
				}
				if n := len(r.net.calls); n != 1 {
					t.Fatalf("%d requests, want one before the breaker is open", n)
				}
				if err := heal(t, admin); err != nil {
					t.Fatal(err)
				}
				advance(time.Minute)
				if n := len(r.net.calls); n != 20 { // one waits for its retry
					t.Errorf("%d requests a minute later, want 20: what has waited is tried at once", n)
				}
			})
		})
	}
}

func TestANewRateAppliesToWhatWaits(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t)
		r.create("a", func(e *publish.Endpoint) { e.Rate = 0.0001 })
		r.start()
		for range 8 {
			r.publish(publish.Event{})
		}
		advance(time.Minute)
		if n := len(r.net.to("a")); n != 1 {
			t.Fatalf("%d requests, want 1 at a rate of one in three hours", n)
		}
		if _, err := r.Update(t.Context(), "a", func(e *publish.Endpoint) error {
			e.Rate = 0
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		advance(time.Minute)
		if n := len(r.net.to("a")); n != 8 {
			t.Errorf("%d requests a minute after the rate was lifted, want 8", n)
		}
	})
}

func TestResumeTriesARetryThatIsTheNextOfItsLane(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t)
		r.create("a")
		r.net.at("a", failOnce(503, "Retry-After", "86400"))
		r.start()
		r.publish(publish.Event{})
		advance(time.Minute)
		if n := len(r.net.calls); n != 1 {
			t.Fatalf("%d requests, want one, which fails", n)
		}
		if _, err := r.Resume(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		advance(time.Minute)
		if n := len(r.net.calls); n != 2 {
			t.Errorf("%d requests a minute after the endpoint was resumed, want 2", n)
		}
	})
}
