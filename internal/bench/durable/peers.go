package durable

import (
	"context"
	"database/sql"
	"encoding/json"
	"log/slog"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
	"maragu.dev/goqite"

	"github.com/hookhouse/hookhouse/internal/bench/env"
	"github.com/hookhouse/hookhouse/internal/bench/pace"
	"github.com/hookhouse/hookhouse/internal/bench/receive"
	"github.com/hookhouse/hookhouse/internal/bench/schema"
)

// GoqiteQueue makes a queue as the documentation of goqite does: with one
// connection.
func GoqiteQueue(ctx context.Context, at string) (*goqite.Queue, *sql.DB, error) {
	db, err := env.SQLite.Pool(at)
	if err != nil {
		return nil, nil, err
	}
	db.SetMaxOpenConns(1)
	if err := goqite.Setup(ctx, db); err != nil {
		_ = db.Close()
		return nil, nil, err
	}
	return goqite.New(goqite.NewOpts{DB: db, Name: "pushes"}), db, nil
}

// openGoqite sends each body to the queue, without headers, ordering keys and
// dedup keys.
func openGoqite(ctx context.Context, at string) (*opened, error) {
	queue, db, err := GoqiteQueue(ctx, at)
	if err != nil {
		return nil, err
	}
	return &opened{
		handler: receive.StoreBody(func(ctx context.Context, body []byte) error {
			return queue.Send(ctx, goqite.Message{Body: body})
		}),
		count: schema.Count(db, "goqite"),
		close: db.Close,
	}, nil
}

// PushArgs is a job of River that holds a push as JSON.
type PushArgs struct {
	Push json.RawMessage `json:"push"`
}

func (PushArgs) Kind() string { return "push" }

// RiverPool makes a client with a pool of pgx, which is River's fastest driver, and
// River's tables. The caller closes the pool and stops the client.
func RiverPool(ctx context.Context, at string, config *river.Config) (*river.Client[pgx.Tx], *pgxpool.Pool, error) {
	settings, err := pgxpool.ParseConfig(at)
	if err != nil {
		return nil, nil, err
	}
	settings.MaxConns, settings.MinConns = pace.PoolSize, pace.PoolSize
	pool, err := pgxpool.NewWithConfig(ctx, settings)
	if err != nil {
		return nil, nil, err
	}
	client, err := RiverClient(ctx, pool, config)
	if err != nil {
		pool.Close()
	}
	return client, pool, err
}

// RiverClient makes another client with that pool.
func RiverClient(ctx context.Context, pool *pgxpool.Pool, config *river.Config) (*river.Client[pgx.Tx], error) {
	config.Logger = slog.New(slog.DiscardHandler)
	driver := riverpgxv5.New(pool)
	migrator, err := rivermigrate.New(driver, &rivermigrate.Config{Logger: config.Logger})
	if err != nil {
		return nil, err
	}
	if _, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return nil, err
	}
	return river.NewClient(driver, config)
}

// openRiver inserts a job for each body, without headers, ordering keys and dedup
// keys.
func openRiver(ctx context.Context, at string) (*opened, error) {
	client, pool, err := RiverPool(ctx, at, &river.Config{})
	if err != nil {
		return nil, err
	}
	return &opened{
		handler: receive.StoreBody(func(ctx context.Context, body []byte) error {
			_, err := client.Insert(ctx, PushArgs{body}, nil)
			return err
		}),
		count: func(ctx context.Context) (n int, err error) {
			err = pool.QueryRow(ctx, "SELECT count(*) FROM river_job").Scan(&n)
			return n, err
		},
		close: func() error { pool.Close(); return nil },
	}, nil
}
