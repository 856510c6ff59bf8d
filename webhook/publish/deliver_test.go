package publish_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/publish"
)

func TestAnEventReachesEachEndpointThatMatches(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t)
		r.create("all")
		r.create("comments", func(e *publish.Endpoint) { e.Events = []string{"comment.*"} })
		r.create("invoices", func(e *publish.Endpoint) { e.Events = []string{"invoice.*"} })
		r.create("other", func(e *publish.Endpoint) { e.Owner = "somebody" })
		r.start()
		id := r.publish(publish.Event{Type: "comment.created", Payload: []byte("{ \"a\":1 }\r\n")})
		advance(time.Second)
		for _, host := range []string{"all", "comments"} {
			calls := r.net.to(host)
			if len(calls) != 1 || calls[0].body != "{ \"a\":1 }\r\n" || calls[0].header.Get("Webhook-Id") != id {
				t.Errorf("%s has received %+v, want one call of %s with the exact bytes", host, calls, id)
			}
		}
		if n := len(r.net.to("invoices")) + len(r.net.to("other")); n != 0 {
			t.Errorf("endpoints that do not match received %d calls", n)
		}
	})
}

func TestARequestVerifiesByStandardWebhooks(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t)
		e := r.create("a")
		verifier := &webhook.StandardWebhooks{Keys: webhook.Keys(e.Secrets[0].Secret)}
		if err := verifier.Validate(); err != nil {
			t.Fatal(err)
		}
		var proof webhook.Proof
		var err error
		r.net.at("a", func(req *http.Request, body []byte) (*http.Response, error) {
			proof, err = verifier.Verify(req, body)
			return status(204)(req, body)
		})
		r.start()
		id := r.publish(publish.Event{Payload: map[string]int{"n": 1}})
		advance(time.Second)
		if err != nil || proof.ID != id {
			t.Errorf("Verify = %+v, %v, want the ID %s", proof, err, id)
		}
	})
}

func TestFiveDaysOfRetriesFollowTheSchedule(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t)
		r.create("a")
		r.net.at("a", status(500))
		r.start()
		r.publish(publish.Event{})
		advance(5 * 24 * time.Hour)
		waits := []time.Duration{0, 5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour,
			10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour}
		calls := r.net.to("a")
		if len(calls) != len(waits) {
			t.Fatalf("%d attempts, want %d", len(calls), len(waits))
		}
		for i := 1; i < len(waits); i++ {
			got, least, most := calls[i].at.Sub(calls[i-1].at), waits[i], waits[i]*6/5+time.Second
			if got < least || got > most {
				t.Errorf("attempt %d came %v after the one before, want %v to %v", i+1, got, least, most)
			}
		}
		if diff := cmp.Diff(map[webhook.State]int{webhook.Dead: 1}, r.states("a")); diff != "" {
			t.Errorf("deliveries (-want +got):\n%s", diff)
		}
		for i, a := range r.attempts("a") {
			if a.Number != i+1 || a.Result != publish.Failed || a.Status != 500 || a.Response != "answer" || a.Next.IsZero() != (i == 9) {
				t.Errorf("attempt %d is recorded as %+v", i+1, a)
			}
		}
	})
}
