package webhook_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// newAllBoundWorker returns a Worker whose Concurrency is 8 and whose only types,
// slow.a and slow.b, have Concurrency 1 and 2.
func newAllBoundWorker(in webhook.Inbox, h webhook.Handler) *webhook.Worker {
	w, _ := newTestWorker(in, muxOf(h, "slow.a", "slow.b"))
	w.Types = map[string]webhook.Policy{"slow.a": {Concurrency: 1}, "slow.b": {Concurrency: 2}}
	w.Timeout, w.MaxAttempts = time.Minute, 1
	return w
}

func putHanging(t *testing.T, in webhook.Inbox, types ...string) {
	t.Helper()
	for i, typ := range types {
		putDelivery(t, in, fmt.Sprint("hang ", i), typed(typ))
	}
}

func TestWorkerIsStuckWhenTheSlotsOfAllItsTypesAreOverdue(t *testing.T) {
	synctestRun(t, "Run returns ErrStuck", func(t *testing.T) {
		in := &webhook.MemInbox{}
		h, _, release := hang()
		w := newAllBoundWorker(in, h)
		putHanging(t, in, "slow.a", "slow.b", "slow.b", "slow.b")
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		begun := time.Now()
		if err := w.Run(ctx); !errors.Is(err, webhook.ErrStuck) {
			t.Errorf("Run = %v, want %v", err, webhook.ErrStuck)
		}
		if got := time.Since(begun); got != 2*time.Minute+30*time.Second {
			t.Errorf("Run took %v, want 2m30s", got)
		}
		release(4)
	})
	synctestRun(t, "HealthHandler answers 503", func(t *testing.T) {
		in := &webhook.MemInbox{}
		h, _, release := hang()
		w := newAllBoundWorker(in, h)
		w.KeepRunning = true
		putHanging(t, in, "slow.a", "slow.b", "slow.b")
		stop := start(t, w)
		advance(10 * time.Minute)
		if got := w.Health(); got.Slots != 3 || got.Overdue != 3 {
			t.Errorf("Health has %d slots, %d overdue, want 3 and 3", got.Slots, got.Overdue)
		}
		answer := httptest.NewRecorder()
		webhook.HealthHandler(in, w).ServeHTTP(answer, httptest.NewRequest("GET", "/", nil))
		if answer.Code != http.StatusServiceUnavailable || !strings.Contains(answer.Body.String(), "is stuck") {
			t.Errorf("HealthHandler = %d %s, want 503 and stuck", answer.Code, answer.Body)
		}
		release(3)
		advance(time.Second)
		stop()
	})
	synctestRun(t, "but not while another type has a slot", func(t *testing.T) {
		in := &webhook.MemInbox{}
		h, _, release := hang()
		w := newAllBoundWorker(in, h)
		putHanging(t, in, "slow.b", "slow.b")
		stop := start(t, w)
		advance(time.Hour)
		release(2)
		stop()
	})
}

// What waits for the slot of an overdue callback is due when the callback returns, also
// while Drain makes its last calls.
func TestDrainWorksWhatAnOverdueCallbackHeldUp(t *testing.T) {
	for _, during := range []string{"Claim", "Sweep"} {
		synctestRun(t, "when it returns during "+during, func(t *testing.T) {
			in := &sweptInbox{flakyInbox: &flakyInbox{MemInbox: &webhook.MemInbox{}}}
			h, ran, release := hang()
			w, _ := newTestWorker(in, muxOf(h, "slow.a", "fast.a"))
			w.Types = map[string]webhook.Policy{"slow.a": {Concurrency: 1, Timeout: time.Minute, MaxAttempts: 1}}
			putDelivery(t, in, "hang", typed("slow.a"))
			putDelivery(t, in, "next", typed("slow.a"))
			returns := func(context.Context) error {
				if w.Health().Overdue == 1 {
					release(1)
					advance(time.Second)
				}
				return nil
			}
			if during == "Claim" {
				in.onClaim = returns
			} else {
				in.onSweep = returns
			}
			if err := w.Drain(t.Context()); err != nil {
				t.Errorf("Drain = %v", err)
			}
			ranAre(t, ran(), "hang", "next")
		})
	}
}

// A sweptInbox calls onSweep in each Sweep.
type sweptInbox struct {
	*flakyInbox
	onSweep func(ctx context.Context) error
}

func (in *sweptInbox) Sweep(ctx context.Context) (int, error) {
	if err := failWith(ctx, in.onSweep); err != nil {
		return 0, err
	}
	return in.MemInbox.Sweep(ctx)
}
