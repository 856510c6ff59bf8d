package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"net/http"

	"github.com/hookhouse/hookhouse/internal/bench/pace"
	"github.com/hookhouse/hookhouse/webhook"
)

// What a program writes that stores each request by itself: the rows that the
// inbox stores, with the same statements prepared, through the same Receiver.
// It looks for a head of the key, as it must, and leaves everything else to the
// constraints of the schema: a duplicate is an error.

const plainDelivery = `INSERT INTO hookhouse_deliveries (uid, source, sender_id, type, ordering_key, key_label, received_at, size, coalesce_quiet_us, coalesce_max_us, state, burst_started_at, due_at)
SELECT $1, $2, $3, $4, $5, '', $6, $7, 0, 0,
  CASE WHEN EXISTS (SELECT 1 FROM hookhouse_deliveries WHERE source = $2 AND ordering_key = $5 AND state IN ('waiting', 'claimed') AND ordering_key <> '')
    THEN 'blocked' ELSE 'waiting' END, $6, $6`

// For PostgreSQL, the types of arguments that stand in a SELECT.
const plainDeliveryTyped = `INSERT INTO hookhouse_deliveries (uid, source, sender_id, type, ordering_key, key_label, received_at, size, coalesce_quiet_us, coalesce_max_us, state, burst_started_at, due_at)
SELECT $1::text, $2::text, $3::text, $4::text, $5::text, '', $6::bigint, $7::bigint, 0, 0,
  CASE WHEN EXISTS (SELECT 1 FROM hookhouse_deliveries WHERE source = $2 AND ordering_key = $5 AND state IN ('waiting', 'claimed') AND ordering_key <> '')
    THEN 'blocked' ELSE 'waiting' END, $6::bigint, $6::bigint
RETURNING id`

const (
	plainBody       = `INSERT INTO hookhouse_bodies (id, envelope, body) VALUES ($1, $2, $3)`
	plainMarks      = `INSERT INTO hookhouse_dedup_keys (source, dedup_key, uid, seen_at) VALUES ($1, $2, $4, $5), ($1, $3, $4, $5)`
	plainEverything = `WITH d AS (` + plainDeliveryTyped + `), b AS (
  INSERT INTO hookhouse_bodies (id, envelope, body) SELECT id, $8::text, $9::bytea FROM d
)
INSERT INTO hookhouse_dedup_keys (source, dedup_key, uid, seen_at) VALUES ($2, $10::text, $1, $6), ($2, $11::text, $1, $6)`
)

// envelopeOf is what the inbox stores beside the body.
func envelopeOf(d *webhook.Delivery) (string, error) {
	text, err := json.Marshal(struct {
		Header http.Header `json:"header"`
		Marks  []string    `json:"dedup_keys"`
	}{d.Header, d.DedupKeys})
	return string(text), err
}

// openPlainSQLite has one connection, as SQLite has one writer.
func openPlainSQLite(ctx context.Context, at string) (*kept, error) {
	db, err := emptySchema(ctx, pace.SQLite, sqliteDSN(at))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	var prepared [3]*sql.Stmt
	for i, text := range []string{plainDelivery, plainBody, plainMarks} {
		if prepared[i], err = db.PrepareContext(ctx, text); err != nil {
			return nil, err
		}
	}
	insert := func(ctx context.Context, d *webhook.Delivery) error {
		// The driver watches a context that can end, at a price that the inbox does
		// not pay either.
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
		received := d.ReceivedAt.UnixMicro()
		result, err := tx.StmtContext(ctx, prepared[0]).ExecContext(ctx, d.UID, d.Source, d.ID, d.Type, d.OrderingKey, received, len(d.Body))
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
		if _, err := tx.StmtContext(ctx, prepared[2]).ExecContext(ctx, d.Source, d.DedupKeys[0], d.DedupKeys[1], d.UID, received); err != nil {
			return err
		}
		return tx.Commit()
	}
	return plainKept(db, insert), nil
}

// openPlainPostgres has a pool whose driver keeps statements prepared.
func openPlainPostgres(insert func(context.Context, *sql.DB, *webhook.Delivery) error) func(context.Context, string) (*kept, error) {
	return func(ctx context.Context, at string) (*kept, error) {
		db, err := emptySchema(ctx, pace.PostgreSQL, at)
		if err != nil {
			return nil, err
		}
		return plainKept(db, func(ctx context.Context, d *webhook.Delivery) error { return insert(ctx, db, d) }), nil
	}
}

// insertEach is a transaction of three INSERTs.
func insertEach(ctx context.Context, db *sql.DB, d *webhook.Delivery) error {
	envelope, err := envelopeOf(d)
	if err != nil {
		return err
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // after a commit it does nothing
	received := d.ReceivedAt.UnixMicro()
	var id int64
	if err := tx.QueryRowContext(ctx, plainDeliveryTyped, d.UID, d.Source, d.ID, d.Type, d.OrderingKey, received, len(d.Body)).Scan(&id); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, plainBody, id, envelope, d.Body); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, plainMarks, d.Source, d.DedupKeys[0], d.DedupKeys[1], d.UID, received); err != nil {
		return err
	}
	return tx.Commit()
}

// insertAtOnce is one statement, which is a transaction by itself: the fewest
// round trips that there are.
func insertAtOnce(ctx context.Context, db *sql.DB, d *webhook.Delivery) error {
	envelope, err := envelopeOf(d)
	if err == nil {
		_, err = db.ExecContext(ctx, plainEverything, d.UID, d.Source, d.ID, d.Type, d.OrderingKey, d.ReceivedAt.UnixMicro(), len(d.Body),
			envelope, d.Body, d.DedupKeys[0], d.DedupKeys[1])
	}
	return err
}

// emptySchema returns a pool on tables that the inbox has made.
func emptySchema(ctx context.Context, e pace.Engine, dsn string) (*sql.DB, error) {
	db, in, err := e.Open(ctx, dsn)
	if err != nil {
		return nil, err
	}
	return db, in.Close()
}

// plainKept stands behind the same Receiver as ours.
func plainKept(db *sql.DB, insert webhook.HandlerFunc) *kept {
	return &kept{
		handler: receiver(pushSource(), insert),
		count:   countRows(db, "hookhouse_deliveries JOIN hookhouse_bodies USING (id)"),
		close:   db.Close,
	}
}
