package publish_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/publish"
)

var note = webhook.Note{By: "test"}

func TestResendFillsTheGapExactlyOnce(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t)
		r.create("a", func(e *publish.Endpoint) { e.Events, e.Ordered, e.Lanes = []string{"comment.*"}, true, 1 })
		r.create("other")
		r.start()
		publishOne := func(n int) {
			r.publish(publish.Event{Type: "comment.created", Key: "k", Payload: n})
			r.publish(publish.Event{Type: "invoice.paid", Payload: n})
			r.publish(publish.Event{Type: "comment.created", Owner: "somebody", Payload: n})
			advance(time.Second)
		}
		publishOne(1) // delivered
		since := time.Now()
		r.net.at("a", status(410))
		publishOne(2) // given up, and the endpoint is disabled
		publishOne(3) // not recorded
		publishOne(4)
		if _, err := r.Test(t.Context(), "other", publish.Event{Type: "comment.created"}); err != nil {
			t.Fatal(err)
		}
		r.net.at("a", status(200))
		if _, err := r.Resume(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		advance(time.Minute)
		publishOne(5) // delivered
		if n := len(r.net.to("a")); n != 3 {
			t.Fatalf("%d requests before Resend, want 3: nothing is sent again by itself", n)
		}
		for round, want := range []int{3, 0} {
			if n, err := r.Resend(t.Context(), "a", since, note); err != nil || n != want {
				t.Errorf("Resend %d = %d, %v, want %d", round+1, n, err, want)
			}
			advance(time.Minute)
		}
		var got []string
		for _, c := range r.net.to("a")[2:] {
			got = append(got, c.body)
		}
		if fmt.Sprint(got) != "[5 2 3 4]" {
			t.Errorf("received %v, want the gap once, in order, after what came live", got)
		}
		if n := len(r.net.to("other")); n != 11 {
			t.Errorf("another endpoint has received %d events, want 11", n)
		}
	})
}

func TestResendToANewEndpoint(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t)
		r.start()
		since := time.Now()
		large := make([]byte, 100<<10)
		for range 3 {
			r.publish(publish.Event{Payload: large})
		}
		advance(time.Second)
		resumed := time.Now()
		r.create("late")
		if n, err := r.Resend(t.Context(), "late", since, note); err != nil || n != 3 {
			t.Errorf("Resend = %d, %v, want 3", n, err)
		}
		advance(time.Second * 3)
		calls := r.net.to("late")
		if len(calls) != 3 || calls[0].body != string(large) {
			t.Errorf("%d events have arrived, want 3 with their bodies", len(calls))
		}
		for rec, err := range r.inbox.All(t.Context(), webhook.Filter{Type: "publish.delivery"}) {
			if err != nil || !rec.Delivery.ReceivedAt.Before(resumed) {
				t.Errorf("a delivery is of %v, %v, want the time of its event", rec.Delivery.ReceivedAt, err)
			}
		}
	})
}

func TestResendEventAlwaysSendsOnce(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t)
		r.create("a")
		r.start()
		id := r.publish(publish.Event{})
		advance(time.Second)
		r.net.at("a", status(500))
		waiting := r.publish(publish.Event{})
		advance(10 * time.Second) // it waits for five minutes
		r.net.at("a", status(200))
		n := len(r.net.to("a"))
		for _, event := range []string{id, id, waiting} {
			if err := r.ResendEvent(t.Context(), "a", event, note); err != nil {
				t.Errorf("ResendEvent(%s) = %v", event, err)
			}
			advance(2 * time.Second)
			if got := len(r.net.to("a")); got != n+1 {
				t.Errorf("%d requests after ResendEvent, want one", got-n)
			}
			n = len(r.net.to("a"))
		}
		advance(time.Hour)
		if got := len(r.net.to("a")); got != n {
			t.Errorf("%d requests more: the automatic retry was made although the one by hand has succeeded", got-n)
		}
		if err := r.ResendEvent(t.Context(), "a", "msg_none", note); !errors.Is(err, webhook.ErrNotFound) {
			t.Errorf("ResendEvent of no event = %v, want webhook.ErrNotFound", err)
		}
		if err := r.ResendEvent(t.Context(), "no", id, note); !errors.Is(err, publish.ErrNotFound) {
			t.Errorf("ResendEvent to no endpoint = %v, want ErrNotFound", err)
		}
		if _, err := r.Resend(t.Context(), "a", time.Time{}, webhook.Note{}); err == nil {
			t.Error("Resend without By succeeds")
		}
	})
}

func TestATestIsOneAttemptWhateverTheState(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var w words
		r := newRig(t)
		r.Observer = w.observer()
		r.create("a")
		r.create("b")
		r.net.at("a", status(500))
		r.start()
		if _, err := r.Pause(t.Context(), "a", ""); err != nil {
			t.Fatal(err)
		}
		id, err := r.Test(t.Context(), "a", publish.Event{Type: "test.ping", Payload: "hello"})
		if err != nil {
			t.Fatal(err)
		}
		advance(time.Hour)
		calls := r.net.to("a")
		if len(calls) != 1 || calls[0].header.Get("Webhook-Id") != id || calls[0].body != "hello" {
			t.Errorf("calls %v, want one of the test", calls)
		}
		if n := len(r.net.to("b")); n != 0 {
			t.Errorf("another endpoint has received the test")
		}
		attempts := r.attempts("a")
		if len(attempts) != 1 || attempts[0].Status != 500 || attempts[0].Event != id || !attempts[0].Next.IsZero() {
			t.Errorf("attempts %+v, want one of the test without a next", attempts)
		}
		if len(w.failures()) != 0 {
			t.Error("a test makes the endpoint fail")
		}
		if body, err := r.Payload(t.Context(), id); err != nil || string(body) != "hello" {
			t.Errorf("Payload = %q, %v", body, err)
		}
	})
}
