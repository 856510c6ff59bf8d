package webhook_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
)

func TestFinishedWorkIsSettledAfterAnOutageOfAnyLength(t *testing.T) {
	synctestRun(t, "an outage of a minute causes no second run", func(t *testing.T) {
		var down atomic.Bool
		away := func(context.Context) error {
			if down.Load() {
				return errBoom
			}
			return nil
		}
		in := &flakyInbox{MemInbox: &webhook.MemInbox{}, onClaim: away, onExtend: away, onSettle: away}
		h, ran := recorded(func(context.Context, *webhook.Delivery) error { work(5 * time.Second); return nil })
		w, j := newTestWorker(in, h)
		d := putDelivery(t, in, "a", nil)
		stop := start(t, w)
		advance(time.Second)
		down.Store(true)
		advance(time.Minute)
		down.Store(false)
		advance(time.Minute)
		if diff := cmp.Diff([]string{"a"}, ran()); diff != "" {
			t.Fatalf("ran() (-want +got):\n%s", diff)
		}
		if got := stateOf(t, in, d); got != webhook.Done {
			t.Fatalf("stateOf(in, d) = %q, want %q", got, webhook.Done)
		}
		if diff := cmp.Diff([]webhook.State{webhook.Done}, j.states()); diff != "" {
			t.Fatalf("j.states() (-want +got):\n%s", diff)
		}
		if len(j.lost) != 0 {
			t.Fatalf("j.lost = %v, want empty", j.lost)
		}
		stop()
	})
	synctestRun(t, "neither does a failing settlement, even if it lasts longer than the lease", func(t *testing.T) {
		var down atomic.Bool
		down.Store(true)
		in := &flakyInbox{MemInbox: &webhook.MemInbox{}, onSettle: func(context.Context) error {
			if down.Load() {
				return errBoom
			}
			return nil
		}}
		h, ran := recorded(succeed)
		w, j := newTestWorker(in, h)
		putDelivery(t, in, "a", nil)
		stop := start(t, w)
		advance(5 * time.Minute)
		down.Store(false)
		advance(time.Minute)
		stop()
		if diff := cmp.Diff([]string{"a"}, ran()); diff != "" {
			t.Fatalf("ran() (-want +got):\n%s", diff)
		}
		if len(j.lost) != 0 {
			t.Fatalf("j.lost = %v, want empty", j.lost)
		}
	})
	synctestRun(t, "nothing is claimed during the first lease of an outage", func(t *testing.T) {
		var down atomic.Bool
		in := &flakyInbox{MemInbox: &webhook.MemInbox{}, onSettle: func(context.Context) error {
			if down.Load() {
				return errBoom
			}
			return nil
		}}
		h, ran := recorded(succeed)
		w, _ := newTestWorker(in, h)
		down.Store(true)
		putDelivery(t, in, "a", nil)
		stop := start(t, w)
		advance(time.Second)
		putDelivery(t, in, "b", nil)
		advance(20 * time.Second)
		if diff := cmp.Diff([]string{"a"}, ran()); diff != "" {
			t.Fatalf("ran() (-want +got):\n%s", diff)
		}
		down.Store(false)
		advance(10 * time.Second)
		if diff := cmp.Diff([]string{"a", "b"}, ran()); diff != "" {
			t.Fatalf("ran() (-want +got):\n%s", diff)
		}
		stop()
	})
	synctestRun(t, "after that lease a delivery that cannot be settled does not delay others", func(t *testing.T) {
		in := &stubborn{MemInbox: &webhook.MemInbox{}, uid: "bad", answer: func(context.Context) error { return errBoom }}
		h, ran := recorded(succeed)
		w, _ := newTestWorker(in, h)
		w.Concurrency = 2
		putDelivery(t, in, "bad", nil)
		stop := startFor(t, w, nil)
		advance(time.Second)
		putDelivery(t, in, "good", nil)
		advance(45 * time.Second)
		if diff := cmp.Diff([]string{"bad", "good"}, ran()); diff != "" {
			t.Fatalf("ran() (-want +got):\n%s", diff)
		}
		in.heal()
		advance(time.Minute)
		if diff := cmp.Diff([]string{"bad", "good"}, ran()); diff != "" {
			t.Fatalf("ran() (-want +got):\n%s", diff)
		}
		stop()
	})
	synctestRun(t, "a settlement that hangs does not delay others", func(t *testing.T) {
		in := &stubborn{MemInbox: &webhook.MemInbox{}, uid: "bad", answer: func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		}}
		h, ran := recorded(succeed)
		w, j := newTestWorker(in, h)
		w.Concurrency = 2
		putDelivery(t, in, "bad", nil)
		stop := startFor(t, w, webhook.ErrShutdown)
		advance(time.Second)
		putDelivery(t, in, "good", nil)
		advance(time.Second)
		if diff := cmp.Diff([]string{"bad", "good"}, ran()); diff != "" {
			t.Fatalf("ran() (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]webhook.State{webhook.Done}, j.states()); diff != "" {
			t.Fatalf("j.states() (-want +got):\n%s", diff)
		}
		advance(5 * time.Minute)
		if got := ran(); len(got) != 2 {
			t.Fatalf("len(ran()) = %d, want 2: %v", len(got), got)
		}
		stop()
	})
}

// A stubborn inbox settles all deliveries but one.
type stubborn struct {
	*webhook.MemInbox
	uid    string
	answer func(context.Context) error
	healed atomic.Bool
}

func (in *stubborn) heal() { in.healed.Store(true) }

func (in *stubborn) Settle(ctx context.Context, c webhook.Claim, o webhook.Outcome) (webhook.State, error) {
	if c.Delivery.UID == in.uid && !in.healed.Load() {
		return "", in.answer(ctx)
	}
	return in.MemInbox.Settle(ctx, c, o)
}

func TestObserverReceivesTheResultingState(t *testing.T) {
	synctestRun(t, "a retry is superseded if a newer delivery of its burst waits", func(t *testing.T) {
		in := &webhook.MemInbox{}
		var out bytes.Buffer
		coalesce := func(d *webhook.Delivery) {
			d.OrderingKey, d.Coalesce = "image:tag", webhook.Coalesce{Quiet: time.Second}
		}
		w, j := newTestWorker(in, webhook.HandlerFunc(func(_ context.Context, d *webhook.Delivery) error {
			work(2 * time.Second)
			if d.UID == "old" {
				return errBoom
			}
			return nil
		}))
		w.Logger = slog.New(slog.NewTextHandler(&out, nil))
		stop := start(t, w)
		putDelivery(t, in, "old", coalesce)
		advance(1500 * time.Millisecond)
		putDelivery(t, in, "new", coalesce)
		advance(time.Minute)
		stop()
		if diff := cmp.Diff([]webhook.State{webhook.Superseded, webhook.Done}, j.states()); diff != "" {
			t.Fatalf("j.states() (-want +got):\n%s", diff)
		}
		if j.settled[0].Reason != "boom" {
			t.Fatalf("j.settled[0].Reason = %q, want \"boom\"", j.settled[0].Reason)
		}
		if j.settled[0].Delay != 0 {
			t.Fatalf("j.settled[0].Delay = %v, want 0", j.settled[0].Delay)
		}
		if got := out.String(); strings.Contains(got, "will be tried again") {
			t.Fatalf("out.String() = %q, want it not to contain \"will be tried again\"", got)
		}
		if got := out.String(); !strings.Contains(got, "a newer one took its place") {
			t.Fatalf("out.String() = %q, want it to contain \"a newer one took its place\"", got)
		}
	})
	synctestRun(t, "the state that the callback settled itself counts, whatever it returns", func(t *testing.T) {
		in := &webhook.MemInbox{}
		var out bytes.Buffer
		w, j := newTestWorker(in, webhook.HandlerFunc(func(ctx context.Context, _ *webhook.Delivery) error {
			c, _ := webhook.ClaimFromContext(ctx) // as SettleTx does
			settle(t, in, c, webhook.Outcome{State: webhook.Done})
			return errBoom
		}))
		w.Logger = slog.New(slog.NewTextHandler(&out, nil))
		putDelivery(t, in, "a", nil)
		stop := start(t, w)
		advance(time.Minute)
		stop()
		if diff := cmp.Diff([]webhook.State{webhook.Done}, j.states()); diff != "" {
			t.Fatalf("j.states() (-want +got):\n%s", diff)
		}
		if got := j.last().Reason; got != "boom" {
			t.Fatalf("j.last().Reason = %q, want \"boom\"", got)
		}
		if got := out.String(); strings.Contains(got, "will be tried again") {
			t.Fatalf("out.String() = %q, want it not to contain \"will be tried again\"", got)
		}
		if got := out.String(); !strings.Contains(got, "handler failed after its delivery was settled as done") {
			t.Fatalf("out.String() = %q, want it to contain \"handler failed after its delivery was settled as done\"", got)
		}
	})
	synctestRun(t, "a settlement whose answer was lost is reported as settled", func(t *testing.T) {
		var answers atomic.Int64
		in := &flakyInbox{MemInbox: &webhook.MemInbox{}, afterSettle: func(webhook.Claim) error {
			if answers.Add(1) == 1 {
				return errBoom
			}
			return nil
		}}
		w, j := newTestWorker(in, webhook.HandlerFunc(succeed))
		putDelivery(t, in, "a", nil)
		stop := start(t, w)
		advance(time.Minute)
		stop()
		if diff := cmp.Diff([]webhook.State{webhook.Done}, j.states()); diff != "" {
			t.Fatalf("j.states() (-want +got):\n%s", diff)
		}
		if len(j.lost) != 0 {
			t.Fatalf("j.lost = %v, want empty", j.lost)
		}
	})
	synctestRun(t, "each claimed delivery is reported as settled or lost, once", func(t *testing.T) {
		in := &webhook.MemInbox{}
		suspects(t, in, "a", "b")
		w, j := newTestWorker(in, webhook.HandlerFunc(blockUntilDone))
		stop := start(t, w)
		synctest.Wait()
		stop()
		if len(j.claimed) != 2 {
			t.Fatalf("len(j.claimed) = %d, want 2: %v", len(j.claimed), j.claimed)
		}
		if len(j.settled) != 2 {
			t.Fatalf("len(j.settled) = %d, want 2: %v", len(j.settled), j.settled)
		}
	})
}
