package webhook_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
)

func TestPromise8_NothingAuthenticIsThrownAway(t *testing.T) {
	synctestRun(t, "a malformed body ends dead with the reason, after one attempt", func(t *testing.T) {
		in := &webhook.MemInbox{}
		var mux webhook.Mux
		webhook.On(&mux, func(context.Context, *webhook.Event[greeting]) error { return nil })
		w, j := newTestWorker(in, &mux)
		d := putDelivery(t, in, "a", func(d *webhook.Delivery) { d.Type, d.Body = "test.greeting", []byte("{") })
		stop := start(t, w)
		advance(time.Minute)
		stop()
		if got := stateOf(t, in, d); got != webhook.Dead {
			t.Fatalf("stateOf(in, d) = %q, want %q", got, webhook.Dead)
		}
		if len(j.claimed) != 1 {
			t.Fatalf("len(j.claimed) = %d, want 1: %v", len(j.claimed), j.claimed)
		}
		if got := j.last().Reason; !strings.Contains(got, webhook.ErrMalformed.Error()) {
			t.Fatalf("j.last().Reason = %q, want it to contain %q", got, webhook.ErrMalformed.Error())
		}
	})
	synctestRun(t, "a panic is recovered, tried again, and does not affect other deliveries", func(t *testing.T) {
		in := &webhook.MemInbox{}
		h, ran := recorded(func(ctx context.Context, d *webhook.Delivery) error {
			if c, _ := webhook.ClaimFromContext(ctx); d.UID == "bad" && c.Attempt == 1 {
				panic(webhook.ErrDuplicate)
			}
			work(time.Second)
			return nil
		})
		w, j := newTestWorker(in, h)
		bad := putDelivery(t, in, "bad", nil)
		good := putDelivery(t, in, "good", nil)
		stop := start(t, w)
		advance(time.Minute)
		stop()
		if got := stateOf(t, in, bad); got != webhook.Done {
			t.Fatalf("stateOf(in, bad) = %q, want %q", got, webhook.Done)
		}
		if got := stateOf(t, in, good); got != webhook.Done {
			t.Fatalf("stateOf(in, good) = %q, want %q", got, webhook.Done)
		}
		if got := ran(); len(got) != 3 {
			t.Fatalf("len(ran()) = %d, want 3: %v", len(got), got)
		}
		if diff := cmp.Diff([]webhook.State{webhook.Waiting, webhook.Done, webhook.Done}, j.states()); diff != "" {
			t.Fatalf("j.states() (-want +got):\n%s", diff)
		}
	})
	synctestRun(t, "an inbox that does not answer a claim is called again", func(t *testing.T) {
		var asked atomic.Int64
		in := &flakyInbox{MemInbox: &webhook.MemInbox{}, onClaim: func(ctx context.Context) error {
			if asked.Add(1) > 1 {
				return nil
			}
			<-ctx.Done() // a dropped connection
			return ctx.Err()
		}}
		h, ran := recorded(func(context.Context, *webhook.Delivery) error { return nil })
		w, _ := newTestWorker(in, h)
		w.Lease = 30 * time.Second
		putDelivery(t, in, "a", nil)
		stop := start(t, w)
		advance(29 * time.Second)
		if got := ran(); len(got) != 0 {
			t.Fatalf("ran() = %v, want empty", got)
		}
		advance(10 * time.Second)
		stop()
		if got := ran(); len(got) != 1 {
			t.Fatalf("len(ran()) = %d, want 1: %v", len(got), got)
		}
	})
	synctestRun(t, "a callback that calls runtime.Goexit releases its slot and runs again", func(t *testing.T) {
		in := &webhook.MemInbox{}
		w, j := newTestWorker(in, webhook.HandlerFunc(func(ctx context.Context, _ *webhook.Delivery) error {
			if c, _ := webhook.ClaimFromContext(ctx); c.Attempt == 1 {
				runtime.Goexit()
			}
			return nil
		}))
		w.Concurrency = 1
		d := putDelivery(t, in, "a", nil)
		stop := start(t, w)
		advance(time.Minute)
		stop()
		if got := stateOf(t, in, d); got != webhook.Done {
			t.Fatalf("stateOf(in, d) = %q, want %q", got, webhook.Done)
		}
		if diff := cmp.Diff([]webhook.State{webhook.Waiting, webhook.Done}, j.states()); diff != "" {
			t.Fatalf("j.states() (-want +got):\n%s", diff)
		}
		if !strings.Contains(j.settled[0].Reason, webhook.ErrPanic.Error()) {
			t.Fatalf("j.settled[0].Reason = %q, want it to contain %q", j.settled[0].Reason, webhook.ErrPanic.Error())
		}
	})
	synctestRun(t, "a panic of the error's text is recovered", func(t *testing.T) {
		in := &webhook.MemInbox{}
		w, j := newTestWorker(in, webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error {
			return webhook.Permanent(speechless{})
		}))
		putDelivery(t, in, "a", nil)
		stop := start(t, w)
		synctest.Wait()
		stop()
		if diff := cmp.Diff([]webhook.State{webhook.Waiting}, j.states()); diff != "" {
			t.Fatalf("j.states() (-want +got):\n%s", diff)
		}
	})
	synctestRun(t, "the reason is at most 4 KiB of text that every database stores", func(t *testing.T) {
		in := &webhook.MemInbox{}
		w, j := newTestWorker(in, webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error {
			return webhook.Permanent(errors.New(strings.Repeat("\x00\xff\u4e16", 4000)))
		}))
		putDelivery(t, in, "a", nil)
		stop := start(t, w)
		advance(time.Second)
		stop()
		got := j.last().Reason
		if len(got) > 4<<10 {
			t.Fatalf("len(got) = %d, want at most %d", len(got), 4<<10)
		}
		if got != strings.ToValidUTF8(got, "?") {
			t.Fatalf("got = %q, want %q", got, strings.ToValidUTF8(got, "?"))
		}
		if strings.Contains(got, "\x00") {
			t.Fatalf("got = %q, want it not to contain %q", got, "\x00")
		}
	})
}

// speechless is an error whose Error panics.
type speechless struct{}

func (speechless) Error() string { panic("Error panicked") }

func TestPromise9_Bounded(t *testing.T) {
	synctestRun(t, "at most Concurrency callbacks run at once", func(t *testing.T) {
		in := &webhook.MemInbox{}
		var running, most atomic.Int64
		w, j := newTestWorker(in, webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error {
			most.Store(max(most.Load(), running.Add(1)))
			defer running.Add(-1)
			work(time.Second)
			return nil
		}))
		w.Concurrency = 3
		for i := range 20 {
			putDelivery(t, in, fmt.Sprint(i), nil)
		}
		stop := start(t, w)
		advance(7500 * time.Millisecond)
		stop()
		if got := most.Load(); got != 3 {
			t.Fatalf("most.Load() = %d, want 3", got)
		}
		if got := j.states(); len(got) != 20 {
			t.Fatalf("len(j.states()) = %d, want 20: %v", len(got), got)
		}
	})
	synctestRun(t, "deliveries that the inbox no longer keeps are deleted", func(t *testing.T) {
		in := &webhook.MemInbox{Retention: time.Hour}
		w, _ := newTestWorker(in, webhook.HandlerFunc(succeed))
		putDelivery(t, in, "a", nil)
		stop := start(t, w)
		advance(50 * time.Minute)
		if got := counts(t, in)[webhook.Done]; got != 1 {
			t.Fatalf("counts(in)[webhook.Done] = %d, want 1", got)
		}
		advance(15 * time.Minute)
		if got := counts(t, in); len(got) != 0 {
			t.Fatalf("counts(in) = %v, want empty", got)
		}
		stop()
	})
	synctestRun(t, "all of them are deleted at once, in bounded steps", func(t *testing.T) {
		in := &webhook.MemInbox{Retention: time.Hour}
		for i := range 2500 {
			putDelivery(t, in, fmt.Sprint(i), nil)
		}
		if got := finish(t, in, webhook.Done); got != 2500 {
			t.Fatalf("finish(in, webhook.Done) = %d, want 2500", got)
		}
		advance(2 * time.Hour)
		w, _ := newTestWorker(in, webhook.HandlerFunc(succeed))
		stop := start(t, w)
		synctest.Wait()
		if got := counts(t, in); len(got) != 0 {
			t.Fatalf("counts(in) = %v, want empty", got)
		}
		stop()
	})
	synctestRun(t, "old dedup keys are deleted even if deliveries are never deleted", func(t *testing.T) {
		in := &webhook.MemInbox{Window: time.Minute, Retention: -1}
		d := putDelivery(t, in, "a", func(d *webhook.Delivery) { d.DedupKeys = []string{"key"} })
		w, _ := newTestWorker(in, webhook.HandlerFunc(succeed))
		stop := start(t, w)
		advance(time.Hour)
		if diff := cmp.Diff(map[webhook.State]int{webhook.Done: 1}, counts(t, in)); diff != "" {
			t.Fatalf("counts(in) (-want +got):\n%s", diff)
		}
		if err := in.Put(t.Context(), &webhook.Delivery{UID: "b", Source: d.Source, DedupKeys: d.DedupKeys}); err != nil {
			t.Fatal(err)
		}
		stop()
	})
}
