package publish_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/publish"
)

// Two events are older than Retention when they are sent again: one that has expired, and one
// that was never recorded for the endpoint.
func TestAfterResendRetentionCountsFromTheResend(t *testing.T) {
	hold := map[string]func(t *testing.T, r *rig){
		"too many requests": func(_ *testing.T, r *rig) { r.net.at("a", status(429, "Retry-After", "60")) },
		"paused": func(t *testing.T, r *rig) {
			if _, err := r.Pause(t.Context(), "a", ""); err != nil {
				t.Fatal(err)
			}
		},
	}
	for name, hold := range hold {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				r := newRig(t)
				r.Retention = 2 * time.Hour
				since := time.Now()
				r.start()
				r.publish(publish.Event{}) // before the endpoint is there
				advance(time.Second)
				r.create("a")
				hold(t, r)
				r.publish(publish.Event{})
				advance(3 * time.Hour)
				if diff := cmp.Diff(map[webhook.State]int{webhook.Dead: 1}, r.states("a")); diff != "" {
					t.Fatalf("deliveries before Resend (-want +got):\n%s", diff)
				}
				if n, err := r.Resend(t.Context(), "a", since, note); n != 2 || err != nil {
					t.Fatalf("Resend = %d, %v, want both", n, err)
				}
				advance(110 * time.Minute)
				if s := r.states("a"); s[webhook.Dead] != 0 {
					t.Errorf("deliveries %v within Retention after Resend, want none dead", s)
				}
				advance(time.Hour)
				if diff := cmp.Diff(map[webhook.State]int{webhook.Dead: 2}, r.states("a")); diff != "" {
					t.Errorf("deliveries after Retention is over again (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// While the outbox cannot be read, it is not known whether an old event was sent again.
func TestAnOldEventDoesNotExpireWhileTheOutboxCannotBeRead(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t)
		inbox := &faultyInbox{MemInbox: r.inbox}
		r.use(inbox, r.store)
		r.Retention = time.Hour
		r.create("a")
		r.net.at("a", status(429, "Retry-After", "600"))
		r.start()
		r.publish(publish.Event{})
		advance(30 * time.Minute)
		inbox.get.Store(true)
		advance(2 * time.Hour)
		if s := r.states("a"); s[webhook.Dead] != 0 {
			t.Errorf("deliveries %v, want it to wait", s)
		}
		inbox.get.Store(false)
		advance(time.Hour)
		if s := r.states("a"); s[webhook.Dead] != 1 {
			t.Errorf("deliveries %v, want it dead", s)
		}
	})
}
