package held

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

// A disturbance is what runs beside the senders.
type disturbance struct {
	// start begins it and returns the time from which it may delay Puts.
	start func(ctx context.Context) (time.Time, error)
	over  <-chan struct{} // closed when it has ended by itself; nil if it does not
	// end ends it, waits until all of it has ended and adds its figures to r. It is
	// called even if start was not.
	end func(r *result) error
}

func noDisturbance(context.Context, *scene) (disturbance, error) {
	return disturbance{
		start: func(context.Context) (time.Time, error) { return time.Now(), nil },
		end:   func(*result) error { return nil },
	}, nil
}

// heldEvery is the time between the first Puts under two held keys. Many Puts at the
// same instant delay the others whether or not their keys are held.
const heldEvery = 2 * time.Millisecond

// holdKeys holds keys in a transaction that does not end. Under each a Put waits, is
// refused, and is made again.
func holdKeys(ctx context.Context, sc *scene) (disturbance, error) {
	tx, err := sc.near.DB.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
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
		end: func(*result) error {
			stop()
			waiters.Wait()
			return tx.Rollback()
		},
	}, nil
}

// replay replays the finished deliveries from another program that is as far away.
// It begins again if it fails.
func replay(ctx context.Context, sc *scene) (disturbance, error) {
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
		end: func(r *result) error {
			stop()
			running.Wait()
			if took := time.Since(begin); !begin.IsZero() {
				r.replayed, r.failed = float64(total)/took.Seconds(), failed
			}
			return nil
		},
	}, nil
}

// repairWrites returns when a transaction of repair has written something, or over
// is closed. A Replay first looks for what to replay, which takes time and delays
// nobody.
func (sc *scene) repairWrites(ctx context.Context, over <-chan struct{}) error {
	for {
		var writes bool
		err := sc.near.DB.QueryRowContext(ctx, "SELECT count(*) > 0 FROM pg_stat_activity WHERE application_name = $1 AND backend_xid IS NOT NULL", repairName).Scan(&writes)
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
