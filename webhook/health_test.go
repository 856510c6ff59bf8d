package webhook_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
)

func TestHealthOfAWorker(t *testing.T) {
	synctestRun(t, "is zero before Run, then shows the slots in use", func(t *testing.T) {
		in := &webhook.MemInbox{}
		w, _ := newTestWorker(in, webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error { work(time.Hour); return nil }))
		if diff := cmp.Diff(webhook.Health{}, w.Health()); diff != "" {
			t.Fatalf("w.Health() (-want +got):\n%s", diff)
		}
		putDelivery(t, in, "a", nil)
		putDelivery(t, in, "b", nil)
		w.Timeout = 2 * time.Hour
		stop := start(t, w)
		advance(time.Minute)
		h := w.Health()
		if !h.Running {
			t.Fatal("h.Running is false, want true")
		}
		if diff := cmp.Diff([]int{8, 2, 0, 0}, []int{h.Slots, h.InUse, h.Overdue, h.Suspects}); diff != "" {
			t.Fatalf("[]int{h.Slots, h.InUse, h.Overdue, h.Suspects} (-want +got):\n%s", diff)
		}
		if got := time.Since(h.LastClaim); got > time.Minute {
			t.Fatalf("time.Since(h.LastClaim) = %v, want at most %v", got, time.Minute)
		}
		if h.Waiting != 0 {
			t.Fatalf("h.Waiting = %v, want 0", h.Waiting)
		}
		if h.LastError != nil {
			t.Fatal(h.LastError)
		}
		advance(time.Hour)
		stop()
		if w.Health().Running {
			t.Fatal("w.Health().Running is true, want false")
		}
		if w.Health().LastClaim.IsZero() {
			t.Fatal("w.Health().LastClaim.IsZero() is true, want false")
		}
	})
	synctestRun(t, "shows how long claiming has failed, and the error", func(t *testing.T) {
		var down atomic.Bool
		in := &flakyInbox{MemInbox: &webhook.MemInbox{}, onClaim: func(context.Context) error {
			if down.Load() {
				return errBoom
			}
			return nil
		}}
		w, _ := newTestWorker(plainInbox{in}, webhook.HandlerFunc(succeed)) // which is polled
		stop := start(t, w)
		advance(time.Second)
		down.Store(true)
		advance(time.Minute)
		h := w.Health()
		if h.Waiting <= 59*time.Second {
			t.Fatalf("h.Waiting = %v, want more than %v", h.Waiting, 59*time.Second)
		}
		if !errors.Is(h.LastError, errBoom) {
			t.Fatalf("h.LastError = %v, want %v", h.LastError, errBoom)
		}
		down.Store(false)
		advance(6 * time.Second)
		h = w.Health()
		if h.Waiting != 0 {
			t.Fatalf("h.Waiting = %v, want 0", h.Waiting)
		}
		if h.LastError != nil {
			t.Fatal(h.LastError)
		}
		stop()
	})
}
