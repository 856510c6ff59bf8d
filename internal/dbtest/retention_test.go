package dbtest

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// aged returns statements' text that lets all that is finished have been so for
// that long already.
func aged(d time.Duration) string {
	return "UPDATE hookhouse_deliveries SET finished_at = finished_at - " + microseconds(d)
}

func TestDeadLettersOutliveWhatIsDone(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, db := e.open(t)
		var log strings.Builder
		in.Logger = slog.New(slog.NewTextHandler(&log, nil))
		for _, s := range []webhook.State{webhook.Done, webhook.Ignored, webhook.Dead} {
			put(t, in, delivery(""))
			settle(t, in, claimOne(t, in), s)
		}
		sweep := func(want int) {
			t.Helper()
			if n, err := in.Sweep(t.Context()); n != want || err != nil {
				t.Fatalf("Sweep: %d, %v; want %d", n, err, want)
			}
		}
		sweep(0)
		run(t, db, aged(8*24*time.Hour))
		sweep(2)
		run(t, db, aged(80*24*time.Hour))
		sweep(0)
		if log.Len() > 0 {
			t.Errorf("the log says %q while nothing dead goes", log.String())
		}
		run(t, db, aged(3*24*time.Hour))
		sweep(1)
		for _, want := range []string{"level=WARN", "count=1", "alpha.push:1"} {
			if !strings.Contains(log.String(), want) {
				t.Errorf("the log says %q, want %q in it", log.String(), want)
			}
		}
	})
}

func TestWhatIsKeptForEverIsNotSwept(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, db := e.open(t)
		in.Retention, in.DeadRetention = -1, -1
		for _, s := range []webhook.State{webhook.Done, webhook.Dead} {
			put(t, in, delivery(""))
			settle(t, in, claimOne(t, in), s)
		}
		run(t, db, aged(100*365*24*time.Hour))
		if n, err := in.Sweep(t.Context()); n != 0 || err != nil {
			t.Errorf("Sweep: %d, %v; want none", n, err)
		}
	})
}

// How long is the inbox's affair: no Worker is more forgetful than another.
func TestSeveralWorkersKeepWhatTheInboxKeeps(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, db := e.open(t)
		in.Retention = -1
		for range 3 {
			put(t, in, delivery(""))
			settle(t, in, claimOne(t, in), webhook.Done)
		}
		run(t, db, aged(365*24*time.Hour))
		swept := make(chan struct{}, 10)
		counted := &countingSweeps{Inbox: in, swept: swept}
		ctx, stop := context.WithCancel(t.Context())
		var working sync.WaitGroup
		for range 2 {
			working.Go(func() {
				_ = webhook.NewWorker(counted, webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error { return nil })).Run(ctx)
			})
		}
		<-swept
		<-swept
		stop()
		working.Wait()
		if n := count(t, db, "hookhouse_deliveries"); n != 3 {
			t.Errorf("%d deliveries are left, want 3", n)
		}
	})
}

// A transaction of retention is bounded by bytes: others write in between.
func TestSweepIsBoundedByBytes(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, _ := e.open(t)
		in.Retention = time.Microsecond
		for range 5 {
			d := delivery("")
			d.Body = make([]byte, 3<<20)
			put(t, in, d)
			settle(t, in, claimOne(t, in), webhook.Done)
		}
		for _, want := range []int{2, 2, 1, 0} {
			if n, err := in.Sweep(t.Context()); n != want || err != nil {
				t.Fatalf("Sweep: %d, %v; want %d of 3 MiB each", n, err, want)
			}
		}
		d := delivery("") // one that is larger than the bound goes by itself
		d.Body = make([]byte, 12<<20)
		put(t, in, d)
		settle(t, in, claimOne(t, in), webhook.Done)
		if n, err := in.Sweep(t.Context()); n != 1 || err != nil {
			t.Fatalf("Sweep: %d, %v; want the large one", n, err)
		}
	})
}
