package publish_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/publish"
)

func TestADeletedEndpointGetsNothingMore(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t)
		r.create("a")
		r.net.at("a", status(500))
		r.start()
		for range 10 {
			r.publish(publish.Event{})
		}
		advance(10 * time.Second)
		n, recorded := len(r.net.to("a")), len(r.attempts("a"))
		if err := r.Delete(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		r.publish(publish.Event{})
		advance(5 * 24 * time.Hour)
		if got := len(r.net.to("a")); got != n {
			t.Errorf("%d requests after Delete", got-n)
		}
		if diff := cmp.Diff(map[webhook.State]int{webhook.Ignored: 10}, r.states("a")); diff != "" {
			t.Errorf("deliveries (-want +got):\n%s", diff)
		}
		if got := len(r.attempts("a")); got != recorded {
			t.Errorf("%d attempts are left, want %d: they survive the Delete", got, recorded)
		}
	})
}

// A slowInbox takes long to read a body.
type slowInbox struct {
	*webhook.MemInbox
	wait time.Duration
}

func (in *slowInbox) Get(ctx context.Context, uid string) (webhook.Record, error) {
	<-time.After(in.wait)
	return in.MemInbox.Get(ctx, uid)
}

func TestADeleteAppliesWhileABodyIsRead(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t)
		r.use(&slowInbox{r.inbox, 3 * time.Second}, r.store)
		r.MaxPayload = 20 << 20
		r.create("a")
		r.create("b")
		r.start()
		r.publish(publish.Event{Payload: make([]byte, 9<<20)}) // larger than what is cached
		advance(time.Second)
		if err := r.store.Delete(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		advance(time.Minute)
		if n := len(r.net.to("a")); n != 0 {
			t.Errorf("%d requests to an endpoint that was deleted two seconds before", n)
		}
		if n := len(r.net.to("b")); n != 1 {
			t.Errorf("%d requests to the other one, want 1 although reading is slow", n)
		}
	})
}

// A second process has another cache.
func TestADeleteAppliesInOtherProcessesWithinASecond(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t)
		r.create("a", func(e *publish.Endpoint) { e.Lanes = 1 })
		r.net.at("a", after(50*time.Millisecond, status(200)))
		r.start()
		for range 200 {
			r.publish(publish.Event{})
		}
		advance(3 * time.Second)
		// As another process does it: this one learns of it from the Store only.
		deleted := time.Now()
		if err := r.store.Delete(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		advance(time.Minute)
		calls := r.net.to("a")
		if len(calls) < 30 || len(calls) > 100 {
			t.Errorf("%d requests, want those until the Delete", len(calls))
		}
		if late := calls[len(calls)-1].at.Sub(deleted); late > time.Second {
			t.Errorf("a request began %v after the Delete", late)
		}
		if s := r.states("a"); s[webhook.Done]+s[webhook.Ignored] != 200 {
			t.Errorf("deliveries %v, want all done or ignored", s)
		}
	})
}
