package main

import (
	"context"
	"encoding/json"
	"log/slog"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"

	"github.com/hookhouse/hookhouse/internal/bench/pace"
)

// pushArgs are a job of River's, with the push as the JSON that it is.
type pushArgs struct {
	Push json.RawMessage `json:"push"`
}

func (pushArgs) Kind() string { return "push" }

// openRiverClient migrates and makes a client with a pool of pgx's own, River's
// fastest driver. Pool and client are the caller's to close and to stop.
func openRiverClient(ctx context.Context, at string, config *river.Config) (*river.Client[pgx.Tx], *pgxpool.Pool, error) {
	settings, err := pgxpool.ParseConfig(at)
	if err != nil {
		return nil, nil, err
	}
	settings.MaxConns, settings.MinConns = pace.PoolSize, pace.PoolSize
	pool, err := pgxpool.NewWithConfig(ctx, settings)
	if err != nil {
		return nil, nil, err
	}
	config.Logger = slog.New(slog.DiscardHandler)
	client, err := riverClient(ctx, pool, config)
	if err != nil {
		pool.Close()
	}
	return client, pool, err
}

func riverClient(ctx context.Context, pool *pgxpool.Pool, config *river.Config) (*river.Client[pgx.Tx], error) {
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

// openRiver inserts a job for each body: no headers, no ordering keys, no dedup keys.
func openRiver(ctx context.Context, at string) (*kept, error) {
	client, pool, err := openRiverClient(ctx, at, &river.Config{})
	if err != nil {
		return nil, err
	}
	return &kept{
		handler: keepBody(func(ctx context.Context, body []byte) error {
			_, err := client.Insert(ctx, pushArgs{body}, nil)
			return err
		}),
		count: func(ctx context.Context) (n int, err error) {
			err = pool.QueryRow(ctx, "SELECT count(*) FROM river_job").Scan(&n)
			return n, err
		},
		close: func() error { pool.Close(); return nil },
	}, nil
}
