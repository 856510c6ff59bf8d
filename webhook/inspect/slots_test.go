package inspect_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// A slowStore takes a while to load a delivery.
type slowStore struct {
	*webhook.MemInbox
	takes time.Duration
}

func (s slowStore) Get(ctx context.Context, uid string) (webhook.Record, error) {
	select {
	case <-time.After(s.takes):
		return s.MemInbox.Get(ctx, uid)
	case <-ctx.Done():
		return webhook.Record{}, ctx.Err()
	}
}

// Bodies may be large: only four are loaded at a time, and who waits too long is refused.
func TestABoundedNumberOfBodiesIsLoadedAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		d := r.put(delivery("", "{}"))
		for _, tt := range []struct {
			takes          time.Duration
			at             time.Duration // when the last is answered
			ok, busy, late int
		}{
			{time.Second, 3 * time.Second, 10, 0, 0},
			{4 * time.Second, 8 * time.Second, 8, 2, 0},
			{time.Minute, 10 * time.Second, 0, 6, 4},
		} {
			r.Inspector = r.inspector(slowStore{r.inbox, tt.takes}, ann)
			codes := make(chan int, 10)
			began := time.Now()
			for range 10 {
				go func() { codes <- r.get("api/delivery?uid=" + d.UID).Code }()
			}
			got := make(map[int]int)
			for range 10 {
				got[<-codes]++
			}
			if got[200] != tt.ok || got[503] != tt.busy || got[504] != tt.late || time.Since(began) != tt.at {
				t.Errorf("each takes %v: %v after %v, want %+v", tt.takes, got, time.Since(began), tt)
			}
		}
	})
}

func TestADeliveryThatIsMissingTakesNoPlace(t *testing.T) {
	r := newRig(t)
	d := r.put(delivery("", "{}"))
	for range 10 {
		requireError(t, r.get("api/delivery?uid=nobody"), 404, "no such delivery")
	}
	for page, want := range map[string]int{"api/delivery?": 200, "api/attempts?": 200, "api/body?": 200, "delivery?": 200, "delivery?view=html&": 400} {
		for range 5 {
			if w := r.get(page + "uid=" + d.UID); w.Code != want {
				t.Errorf("%s: %d, want %d", page, w.Code, want)
			}
		}
	}
	if w := r.get("api/delivery?uid=" + d.UID); w.Code != 200 {
		t.Errorf("at the end: %d", w.Code)
	}
}
