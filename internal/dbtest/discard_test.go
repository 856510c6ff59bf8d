package dbtest

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/hookhouse/hookhouse/internal/dbtest/fault"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// transactions counts the transactions of a plan that delete bodies.
func transactions(plan *fault.Plan) *atomic.Int64 {
	n := new(atomic.Int64)
	plan.Watch(func(what string) {
		if strings.Contains(what, "DELETE FROM hookhouse_bodies") {
			n.Add(1)
		}
	}, nil)
	return n
}

// One transaction deletes 500 deliveries, or 8 MiB.
func TestDiscardCommitsInBatches(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		driver, dsn := e.store(t)
		in, db, plan := openWatched(t, e, driver, dsn)
		in.Logger = slog.New(slog.DiscardHandler)
		waitingRows(t, e, db, 1200, "small", 0)
		for range 4 {
			d := delivery("", "mark")
			d.DedupKeys, d.Body, d.Type = nil, make([]byte, 3<<20), "large"
			put(t, in, d)
		}
		run(t, db, "UPDATE hookhouse_deliveries SET state = 'dead', finished_at = 1")
		for typ, want := range map[string]struct{ deliveries, transactions int }{"small": {1200, 3}, "large": {4, 2}} {
			deleting := transactions(plan)
			n, err := in.Discard(t.Context(), webhook.Filter{Type: typ}, ann)
			plan.Watch(nil, nil)
			if n != want.deliveries || err != nil || int(deleting.Load()) != want.transactions {
				t.Errorf("%s: Discard returned %d, %v in %d transactions, want %d in %d",
					typ, n, err, deleting.Load(), want.deliveries, want.transactions)
			}
		}
		for _, table := range []string{"hookhouse_deliveries", "hookhouse_bodies"} {
			if n := count(t, db, table); n != 0 {
				t.Errorf("%s has %d rows", table, n)
			}
		}
	})
}

func TestDiscardDeletesAttemptsAndReplays(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, db := e.open(t)
		in.Logger = slog.New(slog.DiscardHandler)
		swept := 0
		in.Observer = &sqlinbox.Observer{Swept: func(_ context.Context, n int) { swept += n }}
		d := put(t, in, delivery(""))
		settle(t, in, claimOne(t, in), webhook.Dead)
		if _, err := in.Replay(t.Context(), webhook.Filter{UID: d.UID}, ann); err != nil {
			t.Fatal(err)
		}
		settle(t, in, claimOne(t, in), webhook.Dead)
		if n, err := in.Discard(t.Context(), webhook.Filter{UID: d.UID}, ann); n != 1 || err != nil {
			t.Fatalf("Discard returned %d, %v", n, err)
		}
		for _, table := range []string{"hookhouse_attempts", "hookhouse_replays", "hookhouse_bodies", "hookhouse_deliveries"} {
			if n := count(t, db, table); n != 0 {
				t.Errorf("%s has %d rows", table, n)
			}
		}
		if swept != 1 {
			t.Errorf("Swept was called for %d, want 1", swept)
		}
	})
}

// A transaction makes the delivery run again and has not ended. Discard deletes the
// others and says that one is left.
func TestDiscardLeavesWhatAnotherTransactionHolds(t *testing.T) {
	in, db := onPostgres(t).open(t) // SQLite has one writer
	in.Logger = slog.New(slog.DiscardHandler)
	for n := range 3 {
		put(t, in, delivery("", fmt.Sprint("mark", n)))
		settle(t, in, claimOne(t, in), webhook.Dead)
	}
	tx := begin(t, db)
	if err := in.PutTx(t.Context(), tx, delivery("", "mark1")); !webhook.IsDuplicate(err) {
		t.Fatalf("PutTx returned %v, want a duplicate", err)
	}
	n, err := in.Discard(t.Context(), webhook.Filter{States: []webhook.State{webhook.Dead}}, ann)
	if n != 2 || err == nil || !strings.Contains(err.Error(), "1 deliveries were left") {
		t.Errorf("Discard returned %d, %v; want 2 and that one is left", n, err)
	}
	commit(t, tx)
	if got := len(claim(t, in, 5)); got != 1 {
		t.Errorf("%d run again, want 1", got)
	}
}

// The log says who did what, since nothing else of a discarded delivery remains.
func TestTheLogSaysWhoPausedBuriedAndDiscarded(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, _ := e.open(t)
		var log strings.Builder
		in.Logger = slog.New(slog.NewTextHandler(&log, nil))
		d := put(t, in, delivery("key"))
		must(t, in.Pause(t.Context(), "", ann))
		must(t, in.Resume(t.Context(), "", ann))
		must(t, in.Bury(t.Context(), d.UID, ann))
		if _, err := in.Discard(t.Context(), webhook.Filter{UID: d.UID}, ann); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"paused", "resumed", "buried", "discarded"} {
			if !strings.Contains(log.String(), want+`"`) {
				t.Errorf("the log does not say %q:\n%s", want, log.String())
			}
		}
		for _, want := range []string{`paused" type=all by=`, `resumed" type=all by=`, "types=map[" + d.Type + ":1]"} {
			if !strings.Contains(log.String(), want) {
				t.Errorf("the log does not say %q:\n%s", want, log.String())
			}
		}
		if n := strings.Count(log.String(), `by=ann why="the target is down"`); n != 4 {
			t.Errorf("%d lines have the Note, want 4:\n%s", n, log.String())
		}
	})
}

// A burial holds the ordering key as a settlement does. It waits for a transaction that
// has the key, and the delivery of that is the next one.
func TestABurialWaitsForTheTransactionThatHoldsTheKey(t *testing.T) {
	in, db := onPostgres(t).open(t) // SQLite has one writer
	in.Logger = slog.New(slog.DiscardHandler)
	head := put(t, in, delivery("locked"))
	tx := begin(t, db)
	next := delivery("locked")
	must(t, in.PutTx(t.Context(), tx, next))
	buried := make(chan error, 1)
	go func() { buried <- in.Bury(t.Context(), head.UID, ann) }()
	waitFor(t, "the burial waits", func() bool { return count(t, db, "pg_locks WHERE NOT granted") > 0 })
	commit(t, tx)
	must(t, <-buried)
	if c := claimOne(t, in); c.Delivery.UID != next.UID {
		t.Errorf("claimed %s, want %s", c.Delivery.UID, next.UID)
	}
}
