package publish_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/publish"
)

func TestAPausedEndpointKeepsItsQueue(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t)
		r.create("a")
		r.start()
		if _, err := r.Pause(t.Context(), "a", "maintenance"); err != nil {
			t.Fatal(err)
		}
		for range 10 {
			r.publish(publish.Event{})
		}
		advance(time.Hour)
		if n := len(r.net.to("a")); n != 0 {
			t.Fatalf("a paused endpoint has received %d requests", n)
		}
		e, err := r.Resume(t.Context(), "a")
		if err != nil || e.State != publish.Active || e.Reason != "" {
			t.Fatalf("Resume = %v, %v", e, err)
		}
		advance(3 * time.Second)
		if n := len(r.net.to("a")); n != 10 {
			t.Errorf("%d events have arrived 3s after Resume, want 10", n)
		}
		for _, a := range r.attempts("a") {
			if a.Number != 1 || a.Result != publish.Delivered {
				t.Errorf("attempt %+v, want the first one, delivered", a)
			}
		}
	})
}

func TestAPauseEndsWithRetention(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t)
		r.Retention = time.Hour
		r.create("a")
		r.start()
		if _, err := r.Pause(t.Context(), "a", ""); err != nil {
			t.Fatal(err)
		}
		r.publish(publish.Event{})
		advance(2 * time.Hour)
		if diff := cmp.Diff(map[webhook.State]int{webhook.Dead: 1}, r.states("a")); diff != "" {
			t.Errorf("deliveries (-want +got):\n%s", diff)
		}
		attempts := r.attempts("a")
		if len(attempts) != 1 || attempts[0].Result != publish.Skipped || attempts[0].Reason == "" {
			t.Errorf("attempts %+v, want one that was skipped, with a reason", attempts)
		}
	})
}

func TestADisabledEndpointCannotBePaused(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t)
		r.create("a")
		r.net.at("a", status(410))
		r.start()
		r.publish(publish.Event{})
		advance(time.Second)
		if _, err := r.Pause(t.Context(), "a", ""); !errors.Is(err, publish.ErrEndpoint) {
			t.Errorf("Pause of a disabled endpoint = %v, want ErrEndpoint", err)
		}
		for name, f := range map[string]func() error{
			"Pause":  func() error { _, err := r.Pause(t.Context(), "no", ""); return err },
			"Resume": func() error { _, err := r.Resume(t.Context(), "no"); return err },
			"Delete": func() error { return r.Delete(t.Context(), "no") },
			"Test":   func() error { _, err := r.Test(t.Context(), "no", publish.Event{Type: "a"}); return err },
		} {
			if err := f(); !errors.Is(err, publish.ErrNotFound) {
				t.Errorf("%s of no endpoint = %v, want ErrNotFound", name, err)
			}
		}
	})
}
