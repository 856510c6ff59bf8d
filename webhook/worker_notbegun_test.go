package webhook_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

func TestAttemptThatNeverBeganIsNotACrash(t *testing.T) {
	synctestRun(t, "a delivery that was claimed too often runs once more, as the last attempt", func(t *testing.T) {
		in := &webhook.MemInbox{}
		d := putDelivery(t, in, "a", nil)
		_, err := in.Claim(t.Context(), webhook.ClaimOptions{Lease: time.Second}) // whose answer was lost
		if err != nil {
			t.Fatal(err)
		}
		advance(2 * time.Second)
		var last bool
		w, _ := newTestWorker(in, webhook.HandlerFunc(func(ctx context.Context, _ *webhook.Delivery) error {
			c, _ := webhook.ClaimFromContext(ctx)
			last = c.Last
			return nil
		}))
		w.MaxAttempts = 1
		stop := start(t, w)
		synctest.Wait()
		stop()
		if got := stateOf(t, in, d); got != webhook.Done {
			t.Fatalf("stateOf(in, d) = %q, want %q", got, webhook.Done)
		}
		if !last {
			t.Fatal("last is false, want true")
		}
	})
	synctestRun(t, "after MaxAttempts is lowered a waiting delivery runs once more, and keeps its reason", func(t *testing.T) {
		in := &webhook.MemInbox{}
		d := putDelivery(t, in, "a", nil)
		for range 5 {
			claims, err := in.Claim(t.Context(), webhook.ClaimOptions{})
			if err != nil {
				t.Fatal(err)
			}
			settle(t, in, claims[0], webhook.Outcome{State: webhook.Waiting, Reason: "registry is down"})
		}
		h, ran := recorded(func(context.Context, *webhook.Delivery) error { return errors.New("still down") })
		w, j := newTestWorker(in, h)
		w.MaxAttempts = 3
		stop := start(t, w)
		synctest.Wait()
		stop()
		if got := ran(); len(got) != 1 {
			t.Fatalf("len(ran()) = %d, want 1: %v", len(got), got)
		}
		if got := stateOf(t, in, d); got != webhook.Dead {
			t.Fatalf("stateOf(in, d) = %q, want %q", got, webhook.Dead)
		}
		if got := j.last().Reason; got != "still down" {
			t.Fatalf("j.last().Reason = %q, want \"still down\"", got)
		}
	})
	synctestRun(t, "the reason contains the last failure and the crashes", func(t *testing.T) {
		in := &webhook.MemInbox{}
		putDelivery(t, in, "a", nil)
		claims, err := in.Claim(t.Context(), webhook.ClaimOptions{})
		if err != nil {
			t.Fatal(err)
		}
		settle(t, in, claims[0], webhook.Outcome{State: webhook.Waiting, Reason: "registry is down"})
		for range 3 {
			claims, err := in.Claim(t.Context(), webhook.ClaimOptions{Lease: time.Second})
			if err != nil {
				t.Fatal(err)
			}
			if claims[0].Suspect {
				_, err := in.Begin(t.Context(), claims[0])
				if err != nil {
					t.Fatal(err)
				}
			}
			advance(2 * time.Second)
		}
		w, j := newTestWorker(in, webhook.HandlerFunc(succeed))
		w.MaxAttempts = 4
		stop := start(t, w)
		synctest.Wait()
		stop()
		if got := j.last().Reason; got != "it ended the process when it ran alone; before that: registry is down" {
			t.Fatalf("j.last().Reason = %q, want \"it ended the process when it ran alone; before that: registry is down\"", got)
		}
	})
}
