package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/hookhouse/hookhouse/internal/bench/pace"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"maragu.dev/goqite"
)

func fillOursSQLite(ctx context.Context, at string, n int) (*stored, error) {
	return fillOurs(ctx, pace.SQLite, sqliteDSN(at), n)
}

func fillOursPostgres(ctx context.Context, at string, n int) (*stored, error) {
	return fillOurs(ctx, pace.PostgreSQL, at, n)
}

// fillOurs puts deliveries, each under a key of its own: none waits for
// another, as in the peers, and the order of keys is still looked after.
func fillOurs(ctx context.Context, e pace.Engine, dsn string, n int) (*stored, error) {
	db, in, err := e.Open(ctx, dsn)
	if err != nil {
		return nil, err
	}
	body := []byte(keptBody(0))
	header, _ := headerOf(gitHub, "")
	err = pace.Together(64, n, func(i int) error {
		d := pace.Delivery(i, fmt.Sprint("key", i))
		d.Header, d.Body = header, body
		return in.Put(ctx, d)
	})
	if err != nil {
		return nil, errors.Join(err, closeAll(in, db)())
	}
	return &stored{
		run: func(ctx context.Context, n, workers int) error {
			ctx, stop := context.WithCancel(ctx)
			defer stop()
			var settled atomic.Int64
			w := webhook.NewWorker(in, webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error { return nil }))
			w.Concurrency = workers
			w.Observer = &webhook.Observer{Settled: func(webhook.Claim, webhook.Outcome, time.Duration) {
				if settled.Add(1) == int64(n) {
					stop()
				}
			}}
			return w.Run(ctx)
		},
		left:  countRows(db, "hookhouse_deliveries WHERE state <> 'done'"),
		close: closeAll(in, db),
	}, nil
}

func fillGoqite(ctx context.Context, at string, n int) (*stored, error) {
	queue, db, err := openGoqiteQueue(ctx, at)
	if err != nil {
		return nil, err
	}
	body := []byte(keptBody(0))
	err = inTx(ctx, db, func(tx *sql.Tx) error {
		for range n {
			if err := queue.SendTx(ctx, tx, goqite.Message{Body: body}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &stored{
		run: func(ctx context.Context, n, workers int) error {
			return pace.Together(workers, n, func(int) error {
				m, err := queue.Receive(ctx)
				if err != nil {
					return err
				}
				if m == nil {
					return errors.New("goqite has no more")
				}
				return queue.Delete(ctx, m.ID)
			})
		},
		left:  countRows(db, "goqite"),
		close: db.Close,
	}, nil
}

func inTx(ctx context.Context, db *sql.DB, f func(tx *sql.Tx) error) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := f(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

// A noWork is the callback that does nothing.
type noWork struct{ river.WorkerDefaults[pushArgs] }

func (noWork) Work(context.Context, *river.Job[pushArgs]) error { return nil }

// fillRiver makes a client that looks for work as often as River lets it.
func fillRiver(ctx context.Context, at string, n int) (*stored, error) {
	client, pool, err := openRiverClient(ctx, at, &river.Config{})
	if err != nil {
		return nil, err
	}
	done := func() error { pool.Close(); return nil }
	jobs := make([]river.InsertManyParams, n)
	for i := range jobs {
		jobs[i].Args = pushArgs{[]byte(keptBody(0))}
	}
	for len(jobs) > 0 && err == nil {
		part := min(len(jobs), 1000)
		_, err = client.InsertManyFast(ctx, jobs[:part])
		jobs = jobs[part:]
	}
	if err != nil {
		return nil, errors.Join(err, done())
	}
	return &stored{
		run: func(ctx context.Context, n, workers int) error {
			registered := river.NewWorkers()
			river.AddWorker(registered, noWork{})
			client, err := riverClient(ctx, pool, &river.Config{
				Logger: slog.New(slog.DiscardHandler), Workers: registered,
				Queues:        map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: workers}},
				FetchCooldown: river.FetchCooldownMin, FetchPollInterval: 10 * time.Millisecond,
			})
			if err != nil {
				return err
			}
			return runRiver(ctx, client, n)
		},
		left: func(ctx context.Context) (n int, err error) {
			err = pool.QueryRow(ctx, "SELECT count(*) FROM river_job WHERE state <> 'completed'").Scan(&n)
			return n, err
		},
		close: done,
	}, nil
}

// runRiver returns when n jobs are recorded as completed.
func runRiver(ctx context.Context, client *river.Client[pgx.Tx], n int) error {
	completed, stop := client.SubscribeConfig(&river.SubscribeConfig{ChanSize: n, Kinds: []river.EventKind{river.EventKindJobCompleted}})
	defer stop()
	if err := client.Start(ctx); err != nil {
		return err
	}
	for range n {
		select {
		case <-completed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return client.Stop(ctx)
}
