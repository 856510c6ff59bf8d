package webhook_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

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
		require.Len(t, ran(), 25)
		require.Equal(t, webhook.Waiting, stateOf(t, in, hung))
		release(2)
		advance(time.Minute)
		require.Len(t, ran(), 26, "it runs again once it has returned")
		require.Equal(t, webhook.Done, stateOf(t, in, hung))
		stop()
		require.Empty(t, j.lost, "no crash, no lost claim: a hang")
		i := slices.IndexFunc(j.settled, func(o webhook.Outcome) bool { return o.State == webhook.Waiting })
		require.GreaterOrEqual(t, i, 0)
		require.False(t, j.settled[i].Uncounted)
		require.Contains(t, j.settled[i].Reason, "attempt took longer than Worker.Timeout and has not returned")
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
		require.Equal(t, []string{"hang"}, ran())
		release(2)
		advance(time.Minute)
		require.Equal(t, []string{"hang", "hang"}, ran())
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
		require.Equal(t, []string{"hang"}, ran())
		release(2)
		advance(time.Minute)
		require.Equal(t, []string{"hang", "hang"}, ran())
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
		require.Equal(t, webhook.Done, stateOf(t, in, d))
		require.Empty(t, j.overdue)
		require.Equal(t, []webhook.State{webhook.Done}, j.states())
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
		require.Equal(t, webhook.Dead, stateOf(t, in, d), "it was its last attempt")
		require.Equal(t, []webhook.State{webhook.Dead}, j.states())
		require.Contains(t, out.String(), "overdue callback has returned")
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
		require.Empty(t, j.late())
		advance(time.Second)
		require.Equal(t, []time.Duration{15*time.Minute + 30*time.Second}, j.late())
		advance(2 * time.Minute)
		require.Len(t, j.late(), 3)
		release(2)
		advance(time.Hour)
		stop()
		require.Len(t, j.late(), 3, "it has returned")
		require.Equal(t, 3, strings.Count(out.String(), `level=ERROR msg="callback is overdue and holds its slot" delivery.uid=hang`), out.String())
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
		require.ErrorIs(t, <-done, webhook.ErrStuck)
		require.Equal(t, 30*time.Minute+30*time.Second, time.Since(begun))
		require.Equal(t, map[webhook.State]int{webhook.Waiting: 4}, counts(t, in))
		require.Len(t, ran(), 3)
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
		require.Contains(t, ran(), "other")
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
		require.Equal(t, 3, w.Health().Overdue)
		release(6)
		advance(time.Hour)
		require.Contains(t, ran(), "other")
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
		require.ErrorIs(t, err, webhook.ErrStuck)
		require.True(t, ended, "the others ended in order")
		release(3)
	})
}
