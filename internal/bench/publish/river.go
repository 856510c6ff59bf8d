package publish

import (
	"context"
	"time"

	"github.com/riverqueue/river"

	"github.com/hookhouse/hookhouse/internal/bench/drain"
	"github.com/hookhouse/hookhouse/internal/bench/durable"
	"github.com/hookhouse/hookhouse/internal/bench/pace"
)

// A postArgs is a job of River: a call of an endpoint.
type postArgs struct {
	URL  string `json:"url"`
	ID   string `json:"id"`
	Body string `json:"body"`
}

func (postArgs) Kind() string { return "post" }

type postWorker struct {
	river.WorkerDefaults[postArgs]
	poster *poster
}

func (w *postWorker) Work(ctx context.Context, job *river.Job[postArgs]) error {
	_, _, err := w.poster.post(ctx, job.Args.URL, job.Args.ID, []byte(job.Args.Body))
	return err
}

// openRiver inserts the jobs of an event in one statement. What is recorded of an attempt
// is the row of its job.
func openRiver(ctx context.Context, at string, s *sink, a audience) (*opened, error) {
	p, err := newPoster()
	if err != nil {
		return nil, err
	}
	client, pool, err := durable.RiverPool(ctx, at, &river.Config{})
	if err != nil {
		return nil, err
	}
	workers := river.NewWorkers()
	river.AddWorker(workers, &postWorker{poster: p})
	return &opened{
		publish: func(ctx context.Context, n int) error {
			return pace.Together(publishers, n, func(i int) error {
				jobs := make([]river.InsertManyParams, a.good)
				for target := range jobs {
					jobs[target].Args = postArgs{s.good(target), "msg_" + id(i), string(body)}
				}
				_, err := client.InsertManyFast(ctx, jobs)
				return err
			})
		},
		deliver: func(ctx context.Context, n int) (time.Duration, error) {
			return drain.RunRiver(ctx, pool, workers, n, concurrency)
		},
		settled: func(ctx context.Context) (n int, err error) {
			err = pool.QueryRow(ctx, "SELECT count(*) FROM river_job WHERE state = 'completed'").Scan(&n)
			return n, err
		},
		close: func() error {
			p.client.CloseIdleConnections()
			pool.Close()
			return nil
		},
	}, nil
}
