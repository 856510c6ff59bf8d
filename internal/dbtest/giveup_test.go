package dbtest

import (
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// A backlog is given up in parts of one transaction each.
func TestGiveUpEndsALongBacklogOfAKey(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, db := e.open(t)
		in.Logger = slog.New(slog.DiscardHandler)
		manyBlocked(t, e, db, 5202, 2)
		key := webhook.Filter{Source: "alpha", OrderingKey: "key1"}
		limited := key
		limited.Limit = 600
		if n, err := in.GiveUp(t.Context(), limited, webhook.Ignored, ann); n != 600 || err != nil {
			t.Fatalf("GiveUp with a limit: %d, %v", n, err)
		}
		if n := count(t, db, "hookhouse_deliveries WHERE ordering_key = 'key1' AND state = 'waiting'"); n != 1 {
			t.Errorf("the ordering key has %d heads, want 1", n)
		}
		if n, err := in.GiveUp(t.Context(), key, webhook.Dead, ann); n != 2001 || err != nil {
			t.Fatalf("GiveUp: %d, %v", n, err)
		}
		if n := count(t, db, "hookhouse_deliveries WHERE ordering_key = 'key1' AND finished_at IS NOT NULL"); n != 2601 {
			t.Errorf("%d are finished, want 2601", n)
		}
		if n := count(t, db, "hookhouse_deliveries WHERE ordering_key = 'key0' AND finished_at IS NULL"); n != 2601 {
			t.Errorf("%d of the other ordering key are unfinished, want all 2601", n)
		}
		if n, err := in.GiveUp(t.Context(), webhook.Filter{Source: "alpha"}, webhook.Dead, ann); n != 2601 || err != nil {
			t.Fatalf("GiveUp of the source: %d, %v", n, err)
		}
		if n := count(t, db, "hookhouse_deliveries WHERE state IN ('waiting', 'blocked')"); n != 0 {
			t.Errorf("%d are left", n)
		}
	})
}

func TestGiveUpLogsHowManyOfEachTypeItHasEnded(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, _ := e.open(t)
		var log strings.Builder
		in.Logger = slog.New(slog.NewTextHandler(&log, nil))
		for i, typ := range []string{"alpha.push", "alpha.tag", "alpha.push", "alpha.push"} {
			d := delivery([]string{"", "key", "key", "key"}[i])
			d.Type = typ
			put(t, in, d)
		}
		claimOne(t, in) // is not ended, and not counted
		if n, err := in.GiveUp(t.Context(), webhook.Filter{Source: "alpha"}, webhook.Dead, ann); n != 3 || err != nil {
			t.Fatalf("GiveUp: %d, %v", n, err)
		}
		if want := `count=3 state=dead types="map[alpha.push:2 alpha.tag:1]"`; !strings.Contains(log.String(), want) {
			t.Errorf("the log does not say %s:\n%s", want, log.String())
		}
	})
}

// What arrives while a key is given up either is given up with it or runs. Nothing is stuck.
func TestGiveUpWhileDeliveriesArriveAndRunLeavesNoneStuck(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, db := e.open(t)
		in.Logger = slog.New(slog.DiscardHandler)
		var wg sync.WaitGroup
		wg.Go(func() {
			for range 60 {
				wantNil(t, in.Put(t.Context(), delivery("key")))
			}
		})
		wg.Go(func() {
			for range 15 {
				_, err := in.GiveUp(t.Context(), webhook.Filter{Source: "alpha", OrderingKey: "key"}, webhook.Ignored, ann)
				wantNil(t, err)
			}
		})
		wg.Go(func() {
			for range 30 {
				claims, err := in.Claim(t.Context(), webhook.ClaimOptions{N: 1})
				wantNil(t, err)
				for _, c := range claims {
					_, err := in.Settle(t.Context(), c, webhook.Outcome{State: webhook.Done})
					wantNil(t, err)
				}
			}
		})
		wg.Wait()
		for count(t, db, "hookhouse_deliveries WHERE finished_at IS NULL") > 0 {
			settle(t, in, claimOne(t, in), webhook.Done)
		}
		if n := count(t, db, "hookhouse_deliveries WHERE state IN ('done', 'ignored')"); n != 60 {
			t.Errorf("%d are done or ignored, want 60", n)
		}
	})
}

// GiveUp holds the ordering key as a burial does. What is stored after it began stays.
func TestGiveUpWaitsForTheTransactionThatHoldsTheKey(t *testing.T) {
	in, db := onPostgres(t).open(t) // SQLite has one writer
	in.Logger = slog.New(slog.DiscardHandler)
	put(t, in, delivery("locked"))
	tx := begin(t, db)
	next := delivery("locked")
	must(t, in.PutTx(t.Context(), tx, next))
	gaveUp := make(chan error, 1)
	go func() {
		n, err := in.GiveUp(t.Context(), webhook.Filter{Source: "alpha", OrderingKey: "locked"}, webhook.Ignored, ann)
		if n != 1 && err == nil {
			err = errors.New("it ended another number than the one before the transaction")
		}
		gaveUp <- err
	}()
	waitFor(t, "GiveUp waits", func() bool { return count(t, db, "pg_locks WHERE NOT granted") > 0 })
	commit(t, tx)
	must(t, <-gaveUp)
	if c := claimOne(t, in); c.Delivery.UID != next.UID {
		t.Errorf("claimed %s, want %s", c.Delivery.UID, next.UID)
	}
}

// The next delivery of a key may be in a transaction. ReleaseKey waits for it and finds
// what is next then.
func TestReleaseKeyWaitsForTheTransactionThatHoldsTheKey(t *testing.T) {
	in, db := onPostgres(t).open(t)
	in.Logger = slog.New(slog.DiscardHandler)
	head, next := put(t, in, delivery("locked")), put(t, in, delivery("locked"))
	c := claimOne(t, in)
	if _, err := in.Settle(t.Context(), c, webhook.Outcome{State: webhook.Waiting, Delay: time.Hour, Uncounted: true}); err != nil {
		t.Fatal(err)
	}
	tx := begin(t, db)
	if _, err := tx.ExecContext(t.Context(), "SELECT 1 FROM hookhouse_deliveries WHERE uid = $1 FOR UPDATE", head.UID); err != nil {
		t.Fatal(err)
	}
	released := make(chan error, 1)
	go func() { released <- in.ReleaseKey(t.Context(), "alpha", "locked") }()
	waitFor(t, "ReleaseKey waits", func() bool { return count(t, db, "pg_locks WHERE NOT granted") > 0 })
	commit(t, tx)
	must(t, <-released)
	settle(t, in, claimOne(t, in), webhook.Done)
	if c := claimOne(t, in); c.Delivery.UID != next.UID {
		t.Errorf("claimed %s, want %s", c.Delivery.UID, next.UID)
	}
}
