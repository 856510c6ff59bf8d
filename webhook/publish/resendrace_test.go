package publish_test

import (
	"context"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/publish"
)

// An interrupted outbox calls meanwhile once, between the answer of the next Get and its
// return: what the caller has learnt may be old then.
type interrupted struct {
	*webhook.MemInbox
	meanwhile atomic.Pointer[func()]
}

func (o *interrupted) Get(ctx context.Context, uid string) (webhook.Record, error) {
	r, err := o.MemInbox.Get(ctx, uid)
	if f := o.meanwhile.Swap(nil); f != nil {
		(*f)()
	}
	return r, err
}

func TestTwoResendsAtOnceSendOnce(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t)
		outbox := &interrupted{MemInbox: r.inbox}
		r.use(outbox, r.store)
		r.Schedule = []time.Duration{}
		r.create("a")
		r.net.at("a", failOnce(500))
		r.start()
		r.publish(publish.Event{})
		advance(time.Second)
		meanwhile := func() {
			if n, err := r.Resend(t.Context(), "a", time.Time{}, note); n != 1 || err != nil {
				t.Errorf("the Resend in between = %d, %v, want 1", n, err)
			}
			advance(time.Minute)
		}
		outbox.meanwhile.Store(&meanwhile)
		if n, err := r.Resend(t.Context(), "a", time.Time{}, note); n != 0 || err != nil {
			t.Errorf("the Resend that was interrupted = %d, %v, want 0", n, err)
		}
		advance(time.Minute)
		if n := len(r.net.to("a")); n != 2 {
			t.Errorf("%d requests, want 2: what another Resend has sent already is left alone", n)
		}
	})
}

func TestResendEventLeavesARequestUnderWayAlone(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t)
		r.create("a")
		var ended atomic.Int32
		r.net.at("a", func(req *http.Request, body []byte) (*http.Response, error) {
			defer ended.Add(1)
			return after(5*time.Second, status(200))(req, body)
		})
		r.start()
		id := r.publish(publish.Event{})
		advance(time.Second)
		if err := r.ResendEvent(t.Context(), "a", id, note); err != nil {
			t.Error(err)
		}
		advance(time.Minute)
		if n := len(r.net.to("a")); n != 1 || ended.Load() != 1 {
			t.Errorf("%d requests, want the one that was under way", n)
		}
		if a := r.attempts("a"); len(a) != 1 || a[0].Number != 1 || a[0].Result != publish.Delivered {
			t.Errorf("attempts %+v, want the first one, delivered", a)
		}
	})
}
