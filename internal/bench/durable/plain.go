package durable

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/hookhouse/hookhouse/internal/bench/env"
	"github.com/hookhouse/hookhouse/internal/bench/receive"
	"github.com/hookhouse/hookhouse/internal/bench/schema"
	"github.com/hookhouse/hookhouse/webhook"
)

// envelopeOf returns what the inbox stores beside the body.
func envelopeOf(d *webhook.Delivery) (string, error) {
	text, err := json.Marshal(struct {
		Header    http.Header `json:"header"`
		DedupKeys []string    `json:"dedup_keys"`
	}{d.Header, d.DedupKeys})
	return string(text), err
}

// openPlainSQLite has one connection, as SQLite has one writer.
func openPlainSQLite(ctx context.Context, at string) (*opened, error) {
	db, inserts, err := emptySchema(ctx, env.SQLite, at)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	var prepared [3]*sql.Stmt
	for i, text := range []string{inserts.Delivery, inserts.Body, inserts.DedupKeys} {
		if prepared[i], err = db.PrepareContext(ctx, text); err != nil {
			return nil, err
		}
	}
	insert := func(ctx context.Context, d *webhook.Delivery) error {
		// The driver watches a context that can end, which costs time. The inbox avoids
		// that too.
		ctx = context.WithoutCancel(ctx)
		envelope, err := envelopeOf(d)
		if err != nil {
			return err
		}
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer tx.Rollback() //nolint:errcheck // after a commit it does nothing
		result, err := tx.StmtContext(ctx, prepared[0]).ExecContext(ctx, d.UID, d.Source, d.ID, d.Type, d.OrderingKey, d.ReceivedAt.UnixMicro(), len(d.Body))
		if err != nil {
			return err
		}
		id, err := result.LastInsertId()
		if err != nil {
			return err
		}
		if _, err := tx.StmtContext(ctx, prepared[1]).ExecContext(ctx, id, envelope, d.Body); err != nil {
			return err
		}
		if _, err := tx.StmtContext(ctx, prepared[2]).ExecContext(ctx, inserts.DedupArgs(d, id)...); err != nil {
			return err
		}
		return tx.Commit()
	}
	return plainOpened(db, insert), nil
}

// openPlainPostgres has a pool. Its driver prepares statements.
func openPlainPostgres(insert func(context.Context, *sql.DB, schema.Inserts, *webhook.Delivery) error) func(context.Context, string) (*opened, error) {
	return func(ctx context.Context, at string) (*opened, error) {
		db, inserts, err := emptySchema(ctx, env.PostgreSQL, at)
		if err != nil {
			return nil, err
		}
		return plainOpened(db, func(ctx context.Context, d *webhook.Delivery) error { return insert(ctx, db, inserts, d) }), nil
	}
}

// insertEach is a transaction with three INSERTs.
func insertEach(ctx context.Context, db *sql.DB, inserts schema.Inserts, d *webhook.Delivery) error {
	envelope, err := envelopeOf(d)
	if err != nil {
		return err
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // after a commit it does nothing
	var id int64
	if err := tx.QueryRowContext(ctx, inserts.Delivery, d.UID, d.Source, d.ID, d.Type, d.OrderingKey, d.ReceivedAt.UnixMicro(), len(d.Body)).Scan(&id); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, inserts.Body, id, envelope, d.Body); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, inserts.DedupKeys, inserts.DedupArgs(d, id)...); err != nil {
		return err
	}
	return tx.Commit()
}

// insertAtOnce is one statement, which is a transaction by itself and takes one
// round trip.
func insertAtOnce(ctx context.Context, db *sql.DB, inserts schema.Inserts, d *webhook.Delivery) error {
	envelope, err := envelopeOf(d)
	if err == nil {
		_, err = db.ExecContext(ctx, inserts.AtOnce, d.UID, d.Source, d.ID, d.Type, d.OrderingKey, d.ReceivedAt.UnixMicro(), len(d.Body),
			envelope, d.Body, inserts.Key(d, 0), inserts.Key(d, 1))
	}
	return err
}

// emptySchema returns a pool on tables that the inbox has made, and statements for
// them.
func emptySchema(ctx context.Context, b env.Backend, at string) (*sql.DB, schema.Inserts, error) {
	store, err := b.Open(ctx, at)
	if err != nil {
		return nil, schema.Inserts{}, err
	}
	inserts, err := schema.InsertsOf(ctx, store.DB, b)
	return store.DB, inserts, errors.Join(err, store.Inbox.Close())
}

// plainOpened stores behind the same Receiver as the inbox.
func plainOpened(db *sql.DB, insert webhook.HandlerFunc) *opened {
	return &opened{
		handler: receive.Receiver(receive.PushSource(), insert),
		count:   schema.Count(db, schema.Stored),
		close:   db.Close,
	}
}
