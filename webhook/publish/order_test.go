package publish_test

import (
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook/publish"
)

// failOnce answers the first request with a status and headers, and later ones with 200.
func failOnce(code int, header ...string) host {
	var failed atomic.Bool
	return func(r *http.Request, body []byte) (*http.Response, error) {
		if failed.CompareAndSwap(false, true) {
			return status(code, header...)(r, body)
		}
		return status(200)(r, body)
	}
}

func TestAFailureHoldsBackYoungerEventsIfOrdered(t *testing.T) {
	for ordered, want := range map[bool][]string{
		false: {`"1"`, `"2"`, `"3"`, `"1"`},
		true:  {`"1"`, `"1"`, `"2"`, `"3"`},
	} {
		inBubble(t, func(t *testing.T) {
			r := newRig(t)
			r.create("a", func(e *publish.Endpoint) { e.Ordered = ordered })
			r.net.at("a", failOnce(500))
			r.start()
			for _, payload := range []string{"1", "2", "3"} {
				r.publish(publish.Event{Key: "invoice 7", Payload: &payload})
			}
			advance(time.Minute)
			var got []string
			for _, c := range r.net.to("a") {
				got = append(got, c.body)
			}
			if !slices.Equal(got, want) {
				t.Errorf("Ordered %v: received %v, want %v", ordered, got, want)
			}
		})
	}
}

func TestEventsOfAKeyArriveInOrder(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t)
		r.create("a")
		r.net.at("a", after(10*time.Millisecond, status(200)))
		r.start()
		for n := range 20 {
			for _, key := range []string{"x", "y", "z"} {
				r.publish(publish.Event{Type: "of." + key, Key: key, Payload: n})
			}
		}
		advance(time.Minute)
		got := make(map[string][]string)
		for _, c := range r.net.to("a") {
			typ := c.header.Get("Webhook-Type")
			got[typ] = append(got[typ], c.body)
		}
		want := []string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15", "16", "17", "18", "19"}
		for _, typ := range []string{"of.x", "of.y", "of.z"} {
			if !slices.Equal(got[typ], want) {
				t.Errorf("%s: received %v, want them in order", typ, got[typ])
			}
		}
	})
}

func TestAnEventHasOneIDAndOneRequestAtATime(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t)
		r.create("a")
		r.create("b")
		r.net.at("a", status(503))
		r.net.at("b", after(10*time.Second, status(500)))
		r.start()
		id := r.publish(publish.Event{})
		advance(time.Hour)
		for _, host := range []string{"a", "b"} {
			calls := r.net.to(host)
			if len(calls) < 4 {
				t.Errorf("%s: %d requests", host, len(calls))
			}
			times := make(map[string]bool)
			for _, c := range calls {
				if got := c.header.Get("Webhook-Id"); got != id {
					t.Errorf("%s: Webhook-Id %s, want %s at each attempt", host, got, id)
				}
				times[c.header.Get("Webhook-Timestamp")] = true
			}
			if len(times) != len(calls) {
				t.Errorf("%s: %d timestamps of %d attempts, want a new one each time", host, len(times), len(calls))
			}
			if n := r.net.mostAtOnce(host); n != 1 {
				t.Errorf("%s: %d requests of one event at a time", host, n)
			}
		}
	})
}
