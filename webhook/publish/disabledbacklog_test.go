package publish_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/publish"
)

// A watchedInbox counts the deliveries to endpoints that are claimed, and calls a func before
// each GiveUp.
type watchedInbox struct {
	*webhook.MemInbox
	claimed      atomic.Int64
	beforeGiveUp func(f webhook.Filter) error
}

func (in *watchedInbox) Claim(ctx context.Context, o webhook.ClaimOptions) ([]webhook.Claim, error) {
	claims, err := in.MemInbox.Claim(ctx, o)
	for _, c := range claims {
		if c.Delivery.Type == "publish.delivery" {
			in.claimed.Add(1)
		}
	}
	return claims, err
}

func (in *watchedInbox) GiveUp(ctx context.Context, f webhook.Filter, as webhook.State, n webhook.Note) (int, error) {
	if in.beforeGiveUp != nil {
		if err := in.beforeGiveUp(f); err != nil {
			return 0, err
		}
	}
	return in.MemInbox.GiveUp(ctx, f, as, n)
}

// A request may begin in each of the four lanes until the first answer has disabled the endpoint.
const lanes = 4

// backlogged returns a rig with many events for the endpoint a, which waits and is gone.
func backlogged(t *testing.T) (*rig, *watchedInbox) {
	t.Helper()
	r := newRig(t)
	in := &watchedInbox{MemInbox: r.inbox}
	r.use(in, r.store)
	r.create("a", func(e *publish.Endpoint) { e.State = publish.Paused })
	r.net.at("a", status(410))
	r.start()
	for range 3000 {
		r.publish(publish.Event{})
	}
	advance(time.Second)
	in.claimed.Store(0)
	return r, in
}

func TestWhatWaitsForAnEndpointThatIsDisabledEndsAtOnce(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r, in := backlogged(t)
		if _, err := r.Resume(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		advance(time.Second)
		if diff := cmp.Diff(map[webhook.State]int{webhook.Dead: 3000}, r.states("a")); diff != "" {
			t.Errorf("deliveries (-want +got):\n%s", diff)
		}
		if n := in.claimed.Load(); n > 1500 { // some, while the others are being ended
			t.Errorf("%d of 3000 deliveries were claimed to be ended", n)
		}
		first := len(r.net.to("a"))
		r.net.at("a", status(200))
		if _, err := r.Resume(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		if n, err := r.Resend(t.Context(), "a", time.Time{}, note); n != 3000 || err != nil {
			t.Errorf("Resend = %d, %v, want all", n, err)
		}
		advance(time.Minute)
		if n := len(r.net.to("a")) - first; n != 3000 || first > lanes {
			t.Errorf("%d requests and %d after Resend, want one in a lane and then all", first, n)
		}
	})
}

// Resume comes while what waits is being ended: in this process, or in another one.
func TestResumeStopsTheEndingOfWhatWaits(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r, in := backlogged(t)
		var resumed atomic.Bool
		in.beforeGiveUp = func(webhook.Filter) error {
			if resumed.Swap(true) {
				t.Error("what waits is ended although the endpoint was resumed")
				return nil
			}
			r.net.at("a", status(200))
			other := publish.New(r.inbox, r.store)
			other.Transport = r.net
			if _, err := other.Resume(t.Context(), "a"); err != nil {
				t.Error(err)
			}
			_, err := other.Publish(t.Context(), publish.Event{Type: "new.one"})
			return err
		}
		if _, err := r.Resume(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		advance(time.Minute)
		if s := r.states("a"); s[webhook.Dead] > 1000+lanes || s[webhook.Dead]+s[webhook.Done] != 3001 {
			t.Errorf("deliveries %v, want one part dead and the others done", s)
		}
		got := 0
		for _, c := range r.net.to("a") {
			if c.header.Get("Webhook-Type") == "new.one" {
				got++
			}
		}
		if got != 1 {
			t.Errorf("an event that was published after Resume was sent %d times, want once", got)
		}
	})
}

func TestWhatCannotBeEndedAtOnceEndsWhenItIsDue(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r, in := backlogged(t)
		in.beforeGiveUp = func(webhook.Filter) error { return errDown }
		if _, err := r.Resume(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		advance(time.Minute)
		if diff := cmp.Diff(map[webhook.State]int{webhook.Dead: 3000}, r.states("a")); diff != "" {
			t.Errorf("deliveries (-want +got):\n%s", diff)
		}
		if n := len(r.net.to("a")); n > lanes {
			t.Errorf("%d requests, want one in a lane", n)
		}
	})
}
