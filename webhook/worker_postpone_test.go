package webhook_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
)

func TestWorkerPostpones(t *testing.T) {
	synctestRun(t, "a delivery may be postponed more often than MaxAttempts, and younger ones of its key wait", func(t *testing.T) {
		in := &webhook.MemInbox{}
		tries := 0
		h, ran := recorded(func(_ context.Context, d *webhook.Delivery) error {
			if d.UID == "first" {
				if tries++; tries <= 20 {
					return webhook.Postpone(time.Minute, errBoom)
				}
			}
			return nil
		})
		w, j := newTestWorker(in, h)
		w.MaxAttempts, w.RetryOutOfOrder = 2, true
		putDelivery(t, in, "first", keyed("key"))
		putDelivery(t, in, "second", keyed("key"))
		stop := start(t, w)
		advance(20*time.Minute - time.Second)
		if got := ran(); len(got) != 20 || got[19] != "first" {
			t.Fatalf("%d runs before the last delay is over: %v", len(got), got)
		}
		r, err := in.Get(t.Context(), "first")
		if err != nil || r.Attempt != 0 || len(r.Attempts) != 0 || r.Reason != "boom" {
			t.Errorf("%d attempts, %d failed ones, reason %q, %v", r.Attempt, len(r.Attempts), r.Reason, err)
		}
		advance(2 * time.Second)
		stop()
		if got := ran(); len(got) != 22 || got[20] != "first" || got[21] != "second" {
			t.Errorf("ran %v", got[20:])
		}
		want := webhook.Outcome{State: webhook.Waiting, Reason: "boom", Delay: time.Minute, Uncounted: true}
		if diff := cmp.Diff(want, j.settled[0]); diff != "" {
			t.Errorf("Observer got (-want +got):\n%s", diff)
		}
	})
	synctestRun(t, "a delivery that is postponed is logged at level Debug, and a failed one as a warning", func(t *testing.T) {
		in := &webhook.MemInbox{}
		postponed := false
		w, _ := newTestWorker(in, webhook.HandlerFunc(func(_ context.Context, d *webhook.Delivery) error {
			if d.UID == "failed" {
				return errBoom
			}
			defer func() { postponed = true }()
			if postponed {
				return nil
			}
			return webhook.Postpone(time.Minute, errBoom)
		}))
		var log bytes.Buffer
		w.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		putDelivery(t, in, "postponed", nil)
		stop := start(t, w)
		advance(time.Second)
		stop()
		if text := log.String(); !strings.Contains(text, `level=DEBUG msg="delivery is postponed" delivery.uid=postponed`) || strings.Contains(text, "tried again") {
			t.Errorf("the log is\n%s", text)
		}
		log.Reset()
		putDelivery(t, in, "failed", nil)
		stop = start(t, w)
		advance(time.Millisecond)
		stop()
		if text := log.String(); !strings.Contains(text, `level=WARN msg="delivery will be tried again" delivery.uid=failed`) {
			t.Errorf("the log is\n%s", text)
		}
	})
	synctestRun(t, "a suspect that is postponed is none any more", func(t *testing.T) {
		in := &webhook.MemInbox{}
		putDelivery(t, in, "suspect", nil)
		for range 2 { // the process ends
			if claims, err := in.Claim(t.Context(), webhook.ClaimOptions{Lease: time.Second}); err != nil || len(claims) != 1 {
				t.Fatalf("%d claims, %v", len(claims), err)
			}
			advance(time.Second)
		}
		w, j := newTestWorker(in, webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error {
			return webhook.Postpone(time.Minute, errBoom)
		}))
		stop := start(t, w)
		advance(90 * time.Second)
		stop()
		if len(j.claimed) != 2 || !j.claimed[0].Suspect || j.claimed[1].Suspect {
			t.Errorf("claims %+v", j.claimed)
		}
	})
}

func TestRetryOutOfOrderIsForOneFailure(t *testing.T) {
	synctestRun(t, "younger ones run while one waits that failed with it", func(t *testing.T) {
		in := &webhook.MemInbox{}
		h, ran := recorded(func(ctx context.Context, d *webhook.Delivery) error {
			switch c, _ := webhook.ClaimFromContext(ctx); {
			case d.UID == "passed" && c.Attempt == 1:
				return webhook.RetryOutOfOrder(webhook.RetryAfter(time.Minute, errBoom))
			case d.UID == "holds" && c.Attempt == 1:
				return errBoom
			}
			return nil
		})
		w, _ := newTestWorker(in, h)
		for _, uid := range []string{"passed", "holds", "last"} {
			putDelivery(t, in, uid, keyed("key"))
		}
		stop := start(t, w)
		advance(2 * time.Minute)
		stop()
		if diff := cmp.Diff([]string{"passed", "holds", "holds", "last", "passed"}, ran()); diff != "" {
			t.Errorf("ran (-want +got):\n%s", diff)
		}
		if r, err := in.Get(t.Context(), "passed"); err != nil || len(r.Attempts) != 1 {
			t.Errorf("%d failed attempts, %v, want 1", len(r.Attempts), err)
		}
	})
}
