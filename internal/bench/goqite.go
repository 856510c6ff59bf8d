package main

import (
	"context"
	"database/sql"

	"maragu.dev/goqite"

	"github.com/hookhouse/hookhouse/internal/bench/pace"
)

// openGoqiteQueue makes a queue as its documentation does: with one connection.
func openGoqiteQueue(ctx context.Context, at string) (*goqite.Queue, *sql.DB, error) {
	db, err := pace.OpenPool(pace.SQLite.Driver, sqliteDSN(at))
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

// openGoqite sends each body to the queue: no headers, no ordering keys, no dedup keys.
func openGoqite(ctx context.Context, at string) (*kept, error) {
	queue, db, err := openGoqiteQueue(ctx, at)
	if err != nil {
		return nil, err
	}
	return &kept{
		handler: keepBody(func(ctx context.Context, body []byte) error {
			return queue.Send(ctx, goqite.Message{Body: body})
		}),
		count: countRows(db, "goqite"),
		close: db.Close,
	}, nil
}
