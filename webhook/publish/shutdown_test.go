package publish_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/publish"
)

func TestAShutdownCostsNoAttempt(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t)
		r.create("a")
		r.net.at("a", hang)
		r.start()
		r.publish(publish.Event{})
		advance(time.Second)
		r.stop()
		if n := len(r.attempts("a")); n != 0 {
			t.Errorf("%d attempts are recorded of a request that the shutdown has cut off, want none", n)
		}
		r.net.at("a", status(200))
		r.start()
		advance(time.Second)
		attempts := r.attempts("a")
		if len(attempts) != 1 || attempts[0].Number != 1 {
			t.Errorf("attempts %+v after the restart, want the first one", attempts)
		}
	})
}

func TestAKilledProcessCostsNoAttempt(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t)
		r.create("a")
		r.publish(publish.Event{})
		claim := func(typ string) webhook.Claim {
			claims, err := r.inbox.Claim(t.Context(), webhook.ClaimOptions{Types: []string{typ}, Lease: time.Second})
			if err != nil || len(claims) != 1 {
				t.Fatalf("Claim of %s = %v, %v", typ, claims, err)
			}
			return claims[0]
		}
		event := claim("publish.event")
		if err := r.Handle(t.Context(), event.Delivery); err != nil {
			t.Fatal(err)
		}
		if _, err := r.inbox.Settle(t.Context(), event, webhook.Outcome{State: webhook.Done}); err != nil {
			t.Fatal(err)
		}
		for range 3 { // processes that end with a claim
			claim("publish.delivery")
			advance(2 * time.Second)
		}
		r.net.at("a", failOnce(500))
		r.start()
		advance(time.Hour)
		a := r.attempts("a")
		if len(a) != 2 || a[0].Number != 1 || a[1].Number != 2 || a[0].Next.Sub(a[0].At) > 7*time.Second {
			t.Errorf("attempts %+v, want number 1, five seconds before number 2", a)
		}
	})
}

func TestAnAnswerDuringTheShutdownIsRecorded(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t)
		r.create("a")
		r.net.at("a", func(req *http.Request, body []byte) (*http.Response, error) {
			<-time.After(8500 * time.Millisecond) // half a second after the contexts have ended
			return status(200)(req, body)
		})
		r.start()
		r.publish(publish.Event{})
		advance(time.Millisecond)
		r.stop()
		if a := r.attempts("a"); len(a) != 1 || a[0].Result != publish.Delivered {
			t.Errorf("attempts %+v, want one", a)
		}
		if r.states("a")[webhook.Done] != 1 {
			t.Errorf("deliveries %v, want it done", r.states("a"))
		}
	})
}
