package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/hookhouse/hookhouse/internal/bench/pace"
	"github.com/hookhouse/hookhouse/webhook"
)

// A disturbance is what goes on beside the senders.
type disturbance struct {
	// start begins it, and returns the time from which on it may be felt.
	start func(ctx context.Context) (time.Time, error)
	over  <-chan struct{} // closed when it has come to its end; nil means that it does not
	// end ends it, waits until nothing of it runs any more and writes what came of
	// it. It is called whether or not start was.
	end func(r *liveRun) error
}

func nothingHeld(context.Context, *scene) (disturbance, error) {
	return disturbance{
		start: func(context.Context) (time.Time, error) { return time.Now(), nil },
		end:   func(*liveRun) error { return nil },
	}, nil
}

// heldEvery is the time from one Put under a held key to the next one's. Many that
// come in one instant delay the others whether or not their keys are held.
const heldEvery = 2 * time.Millisecond

// keysHeld holds keys in a transaction that does not end, with a Put under each
// that waits, is refused, and comes again.
func keysHeld(ctx context.Context, sc *scene) (disturbance, error) {
	tx, err := sc.nearDB.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
	if err != nil {
		return disturbance{}, err
	}
	name := func(i int) string { return fmt.Sprint("held", i) }
	for i := range sc.keys {
		if err := sc.near.PutTx(ctx, tx, pace.Delivery(firstHolding+i, name(i))); err != nil {
			return disturbance{}, errors.Join(err, tx.Rollback())
		}
	}
	waiting, stop := context.WithCancel(ctx)
	var waiters sync.WaitGroup
	return disturbance{
		start: func(context.Context) (time.Time, error) {
			now := time.Now()
			for i := range sc.keys {
				waiters.Go(func() {
					wait(waiting, time.Duration(i)*heldEvery, nil)
					for waiting.Err() == nil {
						sc.put(waiting, func(int64) string { return name(i) }, &sc.waited)
					}
				})
			}
			return now, nil
		},
		end: func(*liveRun) error {
			stop()
			waiters.Wait()
			return tx.Rollback()
		},
	}, nil
}

// replayRuns replays the finished deliveries, from another program as far away.
// One that fails is begun again.
func replayRuns(ctx context.Context, sc *scene) (disturbance, error) {
	replaying, stop := context.WithCancel(ctx)
	var running sync.WaitGroup
	over := make(chan struct{})
	total, failed := 0, 0
	var begin time.Time
	return disturbance{
		over: over,
		start: func(ctx context.Context) (time.Time, error) {
			running.Go(func() {
				defer close(over)
				for {
					n, err := sc.repair.Replay(replaying, webhook.Filter{States: []webhook.State{webhook.Done}}, webhook.Note{By: "bench"})
					total += n
					if err == nil || replaying.Err() != nil {
						return
					}
					failed++
				}
			})
			err := sc.repairWrites(ctx, over)
			begin = time.Now()
			return begin, err
		},
		end: func(r *liveRun) error {
			stop()
			running.Wait()
			if took := time.Since(begin); !begin.IsZero() {
				r.replayed, r.failed = float64(total)/took.Seconds(), failed
			}
			return nil
		},
	}, nil
}

// repairWrites returns when a transaction of repair has written something, or
// over is closed: a Replay looks first for what there is to replay, which takes
// its time and holds nobody up.
func (sc *scene) repairWrites(ctx context.Context, over <-chan struct{}) error {
	for {
		var writes bool
		err := sc.nearDB.QueryRowContext(ctx, "SELECT count(*) > 0 FROM pg_stat_activity WHERE application_name = $1 AND backend_xid IS NOT NULL", repairName).Scan(&writes)
		if err != nil || writes {
			return err
		}
		select {
		case <-over:
			return nil
		default:
			wait(ctx, time.Millisecond, over)
		}
	}
}
