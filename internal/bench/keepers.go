package main

import (
	"context"
	"database/sql"
	"io"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/hookhouse/hookhouse/internal/bench/pace"
	"github.com/hookhouse/hookhouse/webhook"
)

// openMemory is for what answers and stores nothing.
func openMemory(open func(seen func(any)) http.Handler) func(context.Context, string) (*kept, error) {
	return func(context.Context, string) (*kept, error) {
		var taken atomic.Int64
		return &kept{
			handler: open(func(any) { taken.Add(1) }),
			count:   func(context.Context) (int, error) { return int(taken.Load()), nil },
			close:   func() error { return nil },
		}, nil
	}
}

// openOursSQLite is a Receiver that stores, as its documentation shows it.
func openOursSQLite(ctx context.Context, at string) (*kept, error) {
	return openOurs(ctx, pace.SQLite, sqliteDSN(at))
}

func openOursPostgres(ctx context.Context, at string) (*kept, error) {
	return openOurs(ctx, pace.PostgreSQL, at)
}

func openOurs(ctx context.Context, e pace.Engine, dsn string) (*kept, error) {
	db, in, err := e.Open(ctx, dsn)
	if err != nil {
		return nil, err
	}
	return &kept{
		handler: receiver(pushSource(), webhook.Store(in)),
		count:   countRows(db, "hookhouse_deliveries JOIN hookhouse_bodies USING (id)"),
		close:   closeAll(in, db),
	}, nil
}

// keepBody is the front of peers that store: the floor's read and MAC, then put,
// which has stored the body when it returns nil.
func keepBody(put func(ctx context.Context, body []byte) error) http.Handler {
	macs := sync.Pool{New: newMAC}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text := make([]byte, r.ContentLength)
		if _, err := io.ReadFull(r.Body, text); err != nil || !verified(&macs, r, text) {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		if err := put(r.Context(), text); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		w.WriteHeader(http.StatusAccepted)
	})
}

func countRows(db *sql.DB, from string) func(context.Context) (int, error) {
	return func(ctx context.Context) (n int, err error) {
		err = db.QueryRowContext(ctx, "SELECT count(*) FROM "+from).Scan(&n)
		return n, err
	}
}

// closeAll closes in the given order and returns the first error.
func closeAll(closers ...io.Closer) func() error {
	return func() error {
		var first error
		for _, c := range closers {
			if err := c.Close(); first == nil {
				first = err
			}
		}
		return first
	}
}
