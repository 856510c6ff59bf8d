package publish_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/publish"
)

// What is no event of the outbox ends dead in the queue, where people find it, and is not sent.
func TestWhatIsNoEventOfTheOutboxEndsDeadInTheQueue(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t)
		b := r.queue(1)
		r.create("a")
		r.start()
		r.publish(publish.Event{})
		advance(time.Second)
		var sent *webhook.Delivery
		for rec, err := range r.inbox.All(t.Context(), webhook.Filter{Type: "publish.delivery", Bodies: true}) {
			if err != nil {
				t.Fatal(err)
			}
			sent = rec.Delivery
		}
		disguised, whole := *sent, *sent
		disguised.Type = r.EventType()
		whole.UID += "-again"
		foreign := webhook.NewDelivery("publish", r.EventType(), "", []byte(`"forged"`))
		foreign.Header = sent.Header
		for name, refused := range map[string]struct {
			d    *webhook.Delivery
			says string
		}{
			"another type":                   {webhook.NewDelivery("github", "github.push", "", nil), `a delivery of type "github.push", want publish.event: webhook: no handler`},
			"a delivery":                     {&whole, `a delivery of type "publish.delivery", want publish.event: webhook: no handler`},
			"an event of another outbox":     {foreign, "the outbox does not have event"},
			"the UID of a delivery":          {&disguised, "the outbox does not have event"},
			"an event of another Source":     {webhook.NewDelivery("shop", "shop.event", "", nil), "webhook: no handler"},
			"no type and no header, no body": {&webhook.Delivery{UID: "u"}, "webhook: no handler"},
		} {
			if err := b.Put(t.Context(), refused.d); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			advance(time.Second)
			rec, err := b.Get(t.Context(), refused.d.UID)
			if err != nil || rec.State != webhook.Dead || !strings.Contains(rec.Reason, refused.says) {
				t.Errorf("%s is %s for %q, %v, want it dead for %q", name, rec.State, rec.Reason, err, refused.says)
			}
		}
		advance(time.Hour)
		if n := len(r.net.to("a")); n != 1 {
			t.Errorf("%d requests, want the first alone", n)
		}
	})
}

// An unreadableOutbox cannot be asked for a delivery while it is away.
type unreadableOutbox struct {
	*webhook.MemInbox
	away atomic.Bool
}

func (u *unreadableOutbox) Get(ctx context.Context, uid string) (webhook.Record, error) {
	if u.away.Load() {
		return webhook.Record{}, errors.New("the outbox is away")
	}
	return u.MemInbox.Get(ctx, uid)
}

// A fault of the outbox costs an event of a queue no attempt, however long it lasts.
func TestEventsOfAQueueWaitForTheOutbox(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t)
		outbox := &unreadableOutbox{MemInbox: r.inbox}
		r.use(outbox, r.store)
		b := r.queue(1)
		r.create("a")
		outbox.away.Store(true)
		r.start()
		for range 3 {
			r.publish(publish.Event{Key: "k"})
		}
		advance(6 * time.Hour)
		if pending, err := b.Pending(t.Context(), 100); err != nil || pending != 3 {
			t.Errorf("%d wait in the queue, %v, want 3", pending, err)
		}
		if log := r.log.String(); !strings.Contains(log, "an event cannot be read") || strings.Count(log, "level=ERROR") > 6*360+1 {
			t.Errorf("the log has %d errors, want one each 10 s at most", strings.Count(log, "level=ERROR"))
		}
		outbox.away.Store(false)
		advance(10 * time.Second)
		if n := len(r.net.to("a")); n != 3 {
			t.Errorf("%d requests, want 3", n)
		}
	})
}

func TestRunRefusesTheOutboxAsEvents(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t)
		r.Events = r.inbox
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := r.Run(ctx); err == nil || !strings.Contains(err.Error(), "Events is the outbox") {
			t.Errorf("Run = %v, want an error that says that Events is the outbox", err)
		}
	})
}
