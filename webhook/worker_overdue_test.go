package webhook_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
)

// hang returns a Handler that ignores its context for deliveries whose UID begins
// with "hang", until release is called once for each.
func hang() (h webhook.Handler, ran func() []string, release func(n int)) {
	stop := make(chan struct{}, 100)
	h, ran = recorded(func(_ context.Context, d *webhook.Delivery) error {
		if strings.HasPrefix(d.UID, "hang") {
			<-stop
		}
		return nil
	})
	return h, ran, func(n int) {
		for range n {
			stop <- struct{}{}
		}
	}
}

func TestOverdueCallbackHoldsOneSlotOnly(t *testing.T) {
	synctestRun(t, "other deliveries run, and it is not claimed again while it runs", func(t *testing.T) {
		in := &webhook.MemInbox{}
		h, ran, release := hang()
		w, j := newTestWorker(in, h)
		w.Concurrency, w.PollInterval = 2, time.Minute
		hung := putDelivery(t, in, "hang", nil)
		stop := start(t, w)
		for i := range 24 {
			putDelivery(t, in, fmt.Sprint(i), nil)
			advance(time.Hour)
		}
		if got := ran(); len(got) != 25 {
			t.Fatalf("len(ran()) = %d, want 25: %v", len(got), got)
		}
		if got := stateOf(t, in, hung); got != webhook.Waiting {
			t.Fatalf("stateOf(in, hung) = %q, want %q", got, webhook.Waiting)
		}
		release(2)
		advance(time.Minute)
		if got := ran(); len(got) != 26 {
			t.Fatalf("it runs again once it has returned: len(ran()) = %d, want 26: %v", len(got), got)
		}
		if got := stateOf(t, in, hung); got != webhook.Done {
			t.Fatalf("stateOf(in, hung) = %q, want %q", got, webhook.Done)
		}
		stop()
		if len(j.lost) != 0 {
			t.Fatalf("no crash, no lost claim: a hang: j.lost = %v, want empty", j.lost)
		}
		i := slices.IndexFunc(j.settled, func(o webhook.Outcome) bool { return o.State == webhook.Waiting })
		if i < 0 {
			t.Fatalf("i = %d, want at least 0", i)
		}
		if j.settled[i].Uncounted {
			t.Fatal("j.settled[i].Uncounted is true, want false")
		}
		if !strings.Contains(j.settled[i].Reason, "attempt took longer than its Timeout and has not returned") {
			t.Fatalf("j.settled[i].Reason = %q, want it to contain \"attempt took longer than its Timeout and has not returned\"", j.settled[i].Reason)
		}
	})
	synctestRun(t, "another Worker of the process does not claim it either", func(t *testing.T) {
		in := &webhook.MemInbox{}
		h, ran, release := hang()
		one, _ := newTestWorker(in, h)
		putDelivery(t, in, "hang", nil)
		stop := start(t, one)
		advance(time.Minute)
		other, _ := newTestWorker(in, h)
		stopOther := start(t, other)
		advance(time.Hour)
		if diff := cmp.Diff([]string{"hang"}, ran()); diff != "" {
			t.Fatalf("ran() (-want +got):\n%s", diff)
		}
		release(2)
		advance(time.Minute)
		if diff := cmp.Diff([]string{"hang", "hang"}, ran()); diff != "" {
			t.Fatalf("ran() (-want +got):\n%s", diff)
		}
		stop()
		stopOther()
	})
	synctestRun(t, "neither does a second Run after one that left it behind", func(t *testing.T) {
		in := &webhook.MemInbox{}
		h, ran, release := hang()
		w, _ := newTestWorker(in, h)
		putDelivery(t, in, "hang", nil)
		stop := startFor(t, w, webhook.ErrShutdown)
		advance(time.Second)
		stop()
		stop = start(t, w)
		advance(time.Hour)
		if diff := cmp.Diff([]string{"hang"}, ran()); diff != "" {
			t.Fatalf("ran() (-want +got):\n%s", diff)
		}
		release(2)
		advance(time.Minute)
		if diff := cmp.Diff([]string{"hang", "hang"}, ran()); diff != "" {
			t.Fatalf("ran() (-want +got):\n%s", diff)
		}
		stop()
	})
	synctestRun(t, "its result within one lease after Timeout counts", func(t *testing.T) {
		in := &webhook.MemInbox{}
		w, j := newTestWorker(in, webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error {
			work(80 * time.Second) // ignores its context
			return nil
		}))
		w.Timeout = time.Minute
		d := putDelivery(t, in, "a", nil)
		stop := start(t, w)
		advance(2 * time.Minute)
		stop()
		if got := stateOf(t, in, d); got != webhook.Done {
			t.Fatalf("stateOf(in, d) = %q, want %q", got, webhook.Done)
		}
		if len(j.overdue) != 0 {
			t.Fatalf("j.overdue = %v, want empty", j.overdue)
		}
		if diff := cmp.Diff([]webhook.State{webhook.Done}, j.states()); diff != "" {
			t.Fatalf("j.states() (-want +got):\n%s", diff)
		}
	})
	synctestRun(t, "a later result is logged and does not count", func(t *testing.T) {
		in := &webhook.MemInbox{}
		var out bytes.Buffer
		h, _, release := hang()
		w, j := newTestWorker(in, h)
		w.Timeout, w.MaxAttempts, w.Logger = time.Minute, 1, slog.New(slog.NewTextHandler(&out, nil))
		d := putDelivery(t, in, "hang", nil)
		stop := start(t, w)
		advance(5 * time.Minute)
		release(1)
		advance(time.Second)
		stop()
		if got := stateOf(t, in, d); got != webhook.Dead {
			t.Fatalf("it was its last attempt: stateOf(in, d) = %q, want %q", got, webhook.Dead)
		}
		if diff := cmp.Diff([]webhook.State{webhook.Dead}, j.states()); diff != "" {
			t.Fatalf("j.states() (-want +got):\n%s", diff)
		}
		if got := out.String(); !strings.Contains(got, "overdue callback has returned") {
			t.Fatalf("out.String() = %q, want it to contain \"overdue callback has returned\"", got)
		}
	})
}

func TestOverdueCallbackIsReportedEveryMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := &webhook.MemInbox{}
		var out bytes.Buffer
		h, _, release := hang()
		w, j := newTestWorker(in, h)
		w.Logger = slog.New(slog.NewTextHandler(&out, nil))
		putDelivery(t, in, "hang", nil)
		stop := start(t, w)
		advance(15*time.Minute + 29*time.Second)
		if got := j.late(); len(got) != 0 {
			t.Fatalf("j.late() = %v, want empty", got)
		}
		advance(time.Second)
		if diff := cmp.Diff([]time.Duration{15*time.Minute + 30*time.Second}, j.late()); diff != "" {
			t.Fatalf("j.late() (-want +got):\n%s", diff)
		}
		advance(2 * time.Minute)
		if got := j.late(); len(got) != 3 {
			t.Fatalf("len(j.late()) = %d, want 3: %v", len(got), got)
		}
		release(2)
		advance(time.Hour)
		stop()
		if got := j.late(); len(got) != 3 {
			t.Fatalf("it has returned: len(j.late()) = %d, want 3: %v", len(got), got)
		}
		if got := strings.Count(out.String(), `level=ERROR msg="callback is overdue and holds its slot" delivery.uid=hang`); got != 3 {
			t.Fatalf("%v: strings.Count(...) = %d, want 3", out.String(), got)
		}
	})
}

func TestWorkerIsStuckWhenAllSlotsAreOverdue(t *testing.T) {
	fill := func(t *testing.T, in webhook.Inbox) {
		for i := range 3 {
			putDelivery(t, in, fmt.Sprint("hang ", i), nil)
		}
		putDelivery(t, in, "other", nil)
	}
	synctestRun(t, "Run returns ErrStuck after another Timeout, with every claim settled", func(t *testing.T) {
		in := &webhook.MemInbox{}
		h, ran, release := hang()
		w, _ := newTestWorker(in, h)
		w.Concurrency = 3
		fill(t, in)
		done := make(chan error, 1)
		begun := time.Now()
		go func() { done <- w.Run(t.Context()) }()
		if err := <-done; !errors.Is(err, webhook.ErrStuck) {
			t.Fatalf("<-done = %v, want %v", err, webhook.ErrStuck)
		}
		if got := time.Since(begun); got != 30*time.Minute+30*time.Second {
			t.Fatalf("time.Since(begun) = %v, want %v", got, 30*time.Minute+30*time.Second)
		}
		if diff := cmp.Diff(map[webhook.State]int{webhook.Waiting: 4}, counts(t, in)); diff != "" {
			t.Fatalf("counts(in) (-want +got):\n%s", diff)
		}
		if got := ran(); len(got) != 3 {
			t.Fatalf("len(ran()) = %d, want 3: %v", len(got), got)
		}
		release(3)
	})
	synctestRun(t, "Run continues if one returns in time", func(t *testing.T) {
		in := &webhook.MemInbox{}
		h, ran, release := hang()
		w, _ := newTestWorker(in, h)
		w.Concurrency = 3
		fill(t, in)
		stop := start(t, w)
		advance(30 * time.Minute)
		release(1)
		advance(10 * time.Minute)
		if got := ran(); !slices.Contains(got, "other") {
			t.Fatalf("ran() = %v, want it to contain \"other\"", got)
		}
		release(5)
		advance(time.Hour)
		stop()
	})
	synctestRun(t, "Run continues with KeepRunning", func(t *testing.T) {
		in := &webhook.MemInbox{}
		h, ran, release := hang()
		w, _ := newTestWorker(in, h)
		w.Concurrency, w.KeepRunning = 3, true
		fill(t, in)
		stop := start(t, w)
		advance(24 * time.Hour)
		if got := w.Health().Overdue; got != 3 {
			t.Fatalf("w.Health().Overdue = %d, want 3", got)
		}
		release(6)
		advance(time.Hour)
		if got := ran(); !slices.Contains(got, "other") {
			t.Fatalf("ran() = %v, want it to contain \"other\"", got)
		}
		stop()
	})
	synctestRun(t, "Serve returns ErrStuck", func(t *testing.T) {
		in := &webhook.MemInbox{}
		h, _, release := hang()
		w, _ := newTestWorker(in, h)
		w.Concurrency = 3
		fill(t, in)
		var ended bool
		err := webhook.Serve(t.Context(), &http.Server{}, newPipeListener(), w, untilEnd(&ended))
		if !errors.Is(err, webhook.ErrStuck) {
			t.Fatalf("error = %v, want %v", err, webhook.ErrStuck)
		}
		if !ended {
			t.Fatal("the others ended in order: ended is false, want true")
		}
		release(3)
	})
}
