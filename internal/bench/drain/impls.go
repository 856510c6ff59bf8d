package drain

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"maragu.dev/goqite"

	"github.com/hookhouse/hookhouse/internal/bench/durable"
	"github.com/hookhouse/hookhouse/internal/bench/env"
	"github.com/hookhouse/hookhouse/internal/bench/pace"
	"github.com/hookhouse/hookhouse/internal/bench/receive"
	"github.com/hookhouse/hookhouse/internal/bench/schema"
	"github.com/hookhouse/hookhouse/internal/bench/sender"
	"github.com/hookhouse/hookhouse/webhook"
)

// An impl is one way to handle what is stored: claim, call back, settle.
type impl struct {
	name    string
	kind    receive.Kind
	backend env.Backend
	// fill stores n pushes of 8 KB in an empty store.
	fill func(ctx context.Context, at string, n int) (*Filled, error)
}

var impls = []impl{
	{"goqite Receive, Delete", receive.Peer, env.SQLite, fillGoqite},
	{"hookhouse Worker", receive.Ours, env.SQLite, fillOurs(env.SQLite)},
	{"River Client", receive.Peer, env.PostgreSQL, fillRiver},
	{"hookhouse Worker", receive.Ours, env.PostgreSQL, fillOurs(env.PostgreSQL)},
}

// Filled is a store with pushes that are handled once.
type Filled struct {
	// Run handles n pushes, concurrency at once, with a callback that does nothing.
	Run   func(ctx context.Context, n, concurrency int) error
	left  func(ctx context.Context) (int, error) // counts what is not settled
	Close func() error
}

func fillOurs(b env.Backend) func(context.Context, string, int) (*Filled, error) {
	return func(ctx context.Context, at string, n int) (*Filled, error) { return Fill(ctx, b, at, n) }
}

// Fill puts deliveries in an inbox. Each has an ordering key of its own, so that
// none waits for another, as with the peers. The inbox keeps the order of keys
// nevertheless.
func Fill(ctx context.Context, b env.Backend, at string, n int) (*Filled, error) {
	store, err := b.Open(ctx, at)
	if err != nil {
		return nil, err
	}
	body := []byte(sender.PushBody(0))
	header, _ := sender.Header(sender.GitHub, "")
	err = pace.Together(64, n, func(i int) error {
		d := pace.Delivery(i, fmt.Sprint("key", i))
		d.Header, d.Body = header, body
		return store.Put(ctx, d)
	})
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	return &Filled{
		Run: func(ctx context.Context, n, concurrency int) error {
			ctx, stop := context.WithCancel(ctx)
			defer stop()
			var settled atomic.Int64
			w := webhook.NewWorker(store.Inbox, webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error { return nil }))
			w.Concurrency = concurrency
			w.Observer = &webhook.Observer{Settled: func(context.Context, webhook.Claim, webhook.Outcome, time.Duration) {
				if settled.Add(1) == int64(n) {
					stop()
				}
			}}
			return w.Run(ctx)
		},
		left:  schema.Count(store.DB, schema.Unsettled),
		Close: store.Close,
	}, nil
}

func fillGoqite(ctx context.Context, at string, n int) (*Filled, error) {
	queue, db, err := durable.GoqiteQueue(ctx, at)
	if err != nil {
		return nil, err
	}
	body := []byte(sender.PushBody(0))
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	defer tx.Rollback() //nolint:errcheck // after a commit it does nothing
	for i := 0; i < n && err == nil; i++ {
		err = queue.SendTx(ctx, tx, goqite.Message{Body: body})
	}
	if err == nil {
		err = tx.Commit()
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &Filled{
		Run: func(ctx context.Context, n, concurrency int) error {
			return pace.Together(concurrency, n, func(int) error {
				m, err := queue.Receive(ctx)
				if err != nil {
					return err
				}
				if m == nil {
					return errors.New("goqite has no more messages")
				}
				return queue.Delete(ctx, m.ID)
			})
		},
		left:  schema.Count(db, "goqite"),
		Close: db.Close,
	}, nil
}

// emptyWorker does nothing.
type emptyWorker struct {
	river.WorkerDefaults[durable.PushArgs]
}

func (emptyWorker) Work(context.Context, *river.Job[durable.PushArgs]) error { return nil }

// fillRiver inserts jobs of River.
func fillRiver(ctx context.Context, at string, n int) (*Filled, error) {
	client, pool, err := durable.RiverPool(ctx, at, &river.Config{})
	if err != nil {
		return nil, err
	}
	closePool := func() error { pool.Close(); return nil }
	jobs := make([]river.InsertManyParams, n)
	for i := range jobs {
		jobs[i].Args = durable.PushArgs{Push: []byte(sender.PushBody(0))}
	}
	for len(jobs) > 0 && err == nil {
		part := min(len(jobs), 1000)
		_, err = client.InsertManyFast(ctx, jobs[:part])
		jobs = jobs[part:]
	}
	if err != nil {
		return nil, errors.Join(err, closePool())
	}
	return &Filled{
		Run: func(ctx context.Context, n, concurrency int) error {
			workers := river.NewWorkers()
			river.AddWorker(workers, emptyWorker{})
			_, err := RunRiver(ctx, pool, workers, n, concurrency)
			return err
		},
		left: func(ctx context.Context) (n int, err error) {
			err = pool.QueryRow(ctx, "SELECT count(*) FROM river_job WHERE state <> 'completed'").Scan(&n)
			return n, err
		},
		Close: closePool,
	}, nil
}

// RunRiver works with a client that fetches jobs as often as River permits, until n jobs
// are recorded as completed. It returns how long that took from the client's start.
func RunRiver(ctx context.Context, pool *pgxpool.Pool, workers *river.Workers, n, concurrency int) (took time.Duration, err error) {
	client, err := durable.RiverClient(ctx, pool, &river.Config{
		Workers:       workers,
		Queues:        map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: concurrency}},
		FetchCooldown: river.FetchCooldownMin, FetchPollInterval: 10 * time.Millisecond,
	})
	if err != nil {
		return 0, err
	}
	completed, stop := client.SubscribeConfig(&river.SubscribeConfig{ChanSize: n, Kinds: []river.EventKind{river.EventKindJobCompleted}})
	defer stop()
	start := time.Now()
	if err := client.Start(ctx); err != nil {
		return 0, err
	}
	for range n {
		select {
		case <-completed:
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
	took = time.Since(start)
	return took, client.Stop(ctx)
}
