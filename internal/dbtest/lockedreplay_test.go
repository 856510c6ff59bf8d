package dbtest

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

func TestReplayRetriesALockedKey(t *testing.T) {
	in, plan, other, db := openWatchedPair(t) // SQLite has one writer
	for _, quiet := range []time.Duration{0, time.Microsecond} {
		t.Run(fmt.Sprintf("that coalesces: %t", quiet > 0), func(t *testing.T) {
			d := delivery(fmt.Sprint("key", quiet))
			d.Coalesce.Quiet = quiet
			put(t, other, d)
			settleDead(t, other)
			tx := begin(t, db)
			young := delivery(d.OrderingKey)
			must(t, other.PutTx(t.Context(), tx, young))
			f, note := webhook.Filter{UID: d.UID}, webhook.Note{By: "ann"}
			if n, err := in.Replay(t.Context(), f, note); n != 0 || err == nil || !strings.Contains(err.Error(), "holds the key") {
				t.Errorf("Replay of a locked key: %d, %v", n, err)
			}
			if s := stateOf(t, in, d.UID); s != webhook.Dead {
				t.Errorf("it is %s, want dead", s)
			}
			var once sync.Once
			plan.Watch(nil, func(what string) {
				if strings.Contains(what, "pg_try_advisory_xact_lock") {
					once.Do(func() {
						wantNil(t, tx.Rollback())
					})
				}
			})
			defer plan.Watch(nil, nil)
			if n, err := in.Replay(t.Context(), f, note); n != 1 || err != nil {
				t.Errorf("Replay of a key that is locked at first: %d, %v", n, err)
			}
			if left := drain(t, in); left > 0 {
				t.Errorf("%d are stuck", left)
			}
		})
	}
}

// The other transaction commits when the replay waits for it or has retried. The
// conflict that follows must not end the replay.
func TestReplaySucceedsIfANewHeadCommitsMeanwhile(t *testing.T) {
	in, plan, other, db := openWatchedPair(t) // SQLite has one writer
	for _, quiet := range []time.Duration{0, time.Microsecond} {
		d := delivery(fmt.Sprint("key", quiet))
		d.Coalesce.Quiet = quiet
		put(t, other, d)
		settleDead(t, other)
		tx := begin(t, db)
		young := delivery(d.OrderingKey)
		young.Type = "alpha.young"
		must(t, other.PutTx(t.Context(), tx, young))
		var operations atomic.Int64
		plan.Watch(func(string) { operations.Add(1) }, nil)
		answer := make(chan error, 1)
		go func() {
			n, err := in.Replay(t.Context(), webhook.Filter{UID: d.UID}, webhook.Note{By: "ann"})
			if err == nil && n != 1 {
				err = fmt.Errorf("%d replayed", n)
			}
			answer <- err
		}()
		waitFor(t, "the replay waits", func() bool {
			return operations.Load() > 40 || count(t, db, "pg_locks WHERE NOT granted") > 0
		})
		commit(t, tx)
		// A younger one that is unfinished is not overtaken by one that coalesces.
		if err := <-answer; err != nil && (quiet == 0 || !errors.Is(err, webhook.ErrState)) {
			t.Errorf("Replay returned %v", err)
		}
		plan.Watch(nil, nil)
		if left := drain(t, in); left > 0 {
			t.Errorf("%d are stuck", left)
		}
	}
}
