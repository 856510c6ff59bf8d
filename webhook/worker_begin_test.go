package webhook_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
)

func TestSuspectThatCannotBeginIsPutBack(t *testing.T) {
	for name, f := range map[string]func(ctx context.Context) error{
		"fails": func(context.Context) error { return errBoom },
		"hangs": func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
	} {
		synctestRun(t, "delays the others for a lease at most: its Begin "+name, func(t *testing.T) {
			in := &flakyInbox{MemInbox: &webhook.MemInbox{}}
			suspects(t, in.MemInbox, "a")
			var well atomic.Bool
			in.onBegin = func(ctx context.Context) error {
				if well.Load() {
					return nil
				}
				return f(ctx)
			}
			h, ran := recorded(succeed)
			w, _ := newTestWorker(in, h)
			stop := start(t, w)
			advance(time.Second)
			putDelivery(t, in, "b", nil)
			advance(16 * time.Minute)
			if diff := cmp.Diff([]string{"b"}, ran()); diff != "" {
				t.Fatalf("ran() (-want +got):\n%s", diff)
			}
			well.Store(true)
			advance(time.Hour)
			if diff := cmp.Diff([]string{"b", "a"}, ran()); diff != "" {
				t.Fatalf("ran() (-want +got):\n%s", diff)
			}
			stop()
		})
	}
	synctestRun(t, "runs if Begin is slow, since its lease is renewed", func(t *testing.T) {
		in := &flakyInbox{MemInbox: &webhook.MemInbox{}}
		suspects(t, in.MemInbox, "a")
		in.onBegin = func(ctx context.Context) error {
			select {
			case <-time.After(3 * time.Minute):
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		h, ran := recorded(succeed)
		w, j := newTestWorker(in, h)
		stop := start(t, w)
		advance(4 * time.Minute)
		stop()
		if diff := cmp.Diff([]string{"a"}, ran()); diff != "" {
			t.Fatalf("ran() (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]webhook.State{webhook.Done}, j.states()); diff != "" {
			t.Fatalf("j.states() (-want +got):\n%s", diff)
		}
		if len(j.lost) != 0 {
			t.Fatalf("j.lost = %v, want empty", j.lost)
		}
	})
}
