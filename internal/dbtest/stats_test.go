package dbtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// A minute passes by the database's clock alone.
func TestStatsNameTypesThatNoClaimAsksFor(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, db := e.open(t)
		put(t, in, delivery("key"))
		orphan := delivery("")
		orphan.Type = "alpha.orphan"
		put(t, in, orphan)
		claims, err := in.Claim(t.Context(), webhook.ClaimOptions{N: 5, Types: []string{"alpha.push"}})
		if err != nil || len(claims) != 1 {
			t.Fatalf("%d claims, %v", len(claims), err)
		}
		run(t, db, fmt.Sprintf("UPDATE hookhouse_deliveries SET due_at = due_at - %d WHERE type = 'alpha.orphan'", 2*time.Minute/time.Microsecond))
		st, err := in.Stats(t.Context())
		must(t, err)
		if age := st.Oldest["alpha.orphan"]; age < 2*time.Minute {
			t.Errorf("oldest is %v, want over two minutes", age)
		}
		if diff := cmp.Diff([]string{"alpha.orphan"}, st.Unhandled); diff != "" {
			t.Error(diff)
		}
	})
}

func TestPendingCountsUnfinishedDeliveriesUpToALimit(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, _ := e.open(t)
		pending := func(most, want int) {
			t.Helper()
			if n, err := in.Pending(t.Context(), most); err != nil || n != want {
				t.Errorf("pending %d, %v, want %d", n, err, want)
			}
		}
		pending(9, 0)
		put(t, in, delivery("key"))
		put(t, in, delivery("key")) // blocked
		put(t, in, delivery(""))
		c := claimOne(t, in)
		pending(9, 3)
		pending(2, 2)
		if _, err := in.Settle(t.Context(), c, webhook.Outcome{State: webhook.Done}); err != nil {
			t.Fatal(err)
		}
		pending(9, 2)
	})
}

func TestPingCommits(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, db := e.open(t)
		must(t, in.Ping(t.Context()))
		if n := count(t, db, "hookhouse_schema WHERE pinged > 0"); n != 1 {
			t.Errorf("%d rows have the time of a ping, want 1", n)
		}
		run(t, db, "DROP TABLE hookhouse_schema")
		if err := in.Ping(t.Context()); !errors.Is(err, sqlinbox.ErrNotMigrated) {
			t.Errorf("Ping without tables returned %v, want ErrNotMigrated", err)
		}
	})
}

func TestTheObserverIsCalled(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, _ := e.open(t)
		calls := map[string]int{}
		in.Observer = &sqlinbox.Observer{
			Stored:     func(context.Context, *webhook.Delivery, time.Duration) { calls["stored"]++ },
			Duplicate:  func(context.Context, *webhook.Delivery, *webhook.DuplicateError) { calls["duplicate"]++ },
			Superseded: func(context.Context, string, *webhook.Delivery) { calls["superseded"]++ },
			Refused:    func(context.Context, *webhook.Delivery, error) { calls["refused"]++ },
			Batch:      func(puts, bytes int, _ time.Duration, err error) { calls["batch"] += puts },
			Swept:      func(_ context.Context, n int) { calls["swept"] += n },
		}
		for range 3 {
			d := delivery("key")
			d.Coalesce.Quiet = time.Hour
			put(t, in, d)
		}
		put(t, in, delivery("", "mark"))
		_ = in.Put(t.Context(), delivery("", "mark"))
		_ = in.Put(t.Context(), &webhook.Delivery{})
		in.Retention = time.Microsecond
		if _, err := in.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		want := map[string]int{"stored": 4, "duplicate": 1, "superseded": 2, "refused": 1, "batch": 5, "swept": 2}
		if diff := cmp.Diff(want, calls); diff != "" {
			t.Errorf("calls (-want +got):\n%s", diff)
		}
	})
}

// A panic of the observer does not change the result of the call.
func TestAPanicOfTheObserverIsLogged(t *testing.T) {
	inTurn(t, func(t *testing.T, e engine) {
		in, _ := e.open(t)
		before := slog.Default()
		t.Cleanup(func() { slog.SetDefault(before) })
		var log bytes.Buffer
		slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
		in.Observer = &sqlinbox.Observer{
			Stored:     func(context.Context, *webhook.Delivery, time.Duration) { panic("stored") },
			Duplicate:  func(context.Context, *webhook.Delivery, *webhook.DuplicateError) { panic("duplicate") },
			Superseded: func(context.Context, string, *webhook.Delivery) { panic("superseded") },
			Refused:    func(context.Context, *webhook.Delivery, error) { panic("refused") },
			Batch:      func(int, int, time.Duration, error) { panic("batch") },
			Swept:      func(context.Context, int) { panic("swept") },
		}
		for range 2 {
			d := delivery("key")
			d.Coalesce.Quiet = time.Hour
			put(t, in, d)
		}
		put(t, in, delivery("", "mark"))
		if err := in.Put(t.Context(), delivery("", "mark")); !errors.Is(err, webhook.ErrDuplicate) {
			t.Errorf("Put returned %v, want a duplicate", err)
		}
		if err := in.Put(t.Context(), &webhook.Delivery{}); !errors.Is(err, sqlinbox.ErrInvalid) {
			t.Errorf("Put returned %v, want ErrInvalid", err)
		}
		in.Retention = time.Microsecond
		if n, err := in.Sweep(t.Context()); n != 1 || err != nil {
			t.Errorf("Sweep: %d, %v; want 1", n, err)
		}
		if err := in.Close(); err != nil { // the writer has logged what it had
			t.Error(err)
		}
		for _, what := range []string{"stored", "duplicate", "superseded", "refused", "batch", "swept"} {
			if !strings.Contains(log.String(), "reason="+what) {
				t.Errorf("the log has no panic of %s", what)
			}
		}
	})
}

// Workers wait for the signal. If every claim sent it, they would claim in a loop and
// keep the file of SQLite locked.
func TestAnEmptyClaimIsNoChange(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, _ := e.open(t)
		put(t, in, delivery(""))
		settle(t, in, claimOne(t, in), webhook.Done)
		changed := in.Changed()
		if claims := claim(t, in, 1); len(claims) != 0 {
			t.Fatalf("%d claims", len(claims))
		}
		select {
		case <-changed:
			t.Error("an empty claim signalled a change")
		default:
		}
		put(t, in, delivery(""))
		<-changed
	})
}
