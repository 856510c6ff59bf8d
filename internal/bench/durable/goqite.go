package durable

import (
	"context"
	"database/sql"

	"maragu.dev/goqite"

	"github.com/hookhouse/hookhouse/internal/bench/env"
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
