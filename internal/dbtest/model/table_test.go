package model

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// A row is a delivery as the tables have it, with the number of its rows in other
// tables.
type row struct {
	uid, key  string
	state     webhook.State
	restarted bool // it was made to run again
	passes    bool // it lets younger ones run first, and its retry is not due for a while
	retry     bool // it let younger ones run first
	bodies    int
	dedupKeys int
}

// readTables returns what is stored, by UID, and the number of bodies.
func readTables(ctx context.Context, db *sql.DB) (map[string]*row, int, error) {
	rows, err := db.QueryContext(ctx, `SELECT d.uid, d.ordering_key, d.state, d.first_id IS NOT NULL, d.retry_out_of_order = 1, d.due_at,
		(SELECT count(*) FROM hookhouse_bodies b WHERE b.id = d.id), (SELECT count(*) FROM hookhouse_dedup_keys m WHERE m.delivery_id = coalesce(d.first_id, d.id)),
		(SELECT count(*) FROM hookhouse_bodies)
		FROM hookhouse_deliveries d`)
	if err != nil {
		return nil, 0, err
	}
	defer func() { _ = rows.Close() }()
	all, bodies := make(map[string]*row), 0
	for rows.Next() {
		s := new(row)
		var due int64
		if err := rows.Scan(&s.uid, &s.key, &s.state, &s.restarted, &s.retry, &due, &s.bodies, &s.dedupKeys, &bodies); err != nil {
			return nil, 0, err
		}
		s.passes = s.retry && time.UnixMicro(due).After(time.Now().Add(time.Minute))
		all[s.uid] = s
	}
	return all, bodies, rows.Err()
}

// makeAllDue makes everything due, and ends all leases and pauses.
func makeAllDue(ctx context.Context, db *sql.DB) error {
	if _, err := db.ExecContext(ctx, "DELETE FROM hookhouse_pauses"); err != nil {
		return err
	}
	_, err := db.ExecContext(ctx, `UPDATE hookhouse_deliveries SET due_at = 0, lease_expires_at = 0 WHERE state IN ('waiting', 'blocked', 'claimed')`)
	return err
}

// deleteAllFrom returns statements that empty the listed tables.
func deleteAllFrom(ctx context.Context, db *sql.DB, list string) (string, error) {
	rows, err := db.QueryContext(ctx, list)
	if err != nil {
		return "", err
	}
	defer func() { _ = rows.Close() }()
	var text strings.Builder
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return "", err
		}
		if name != "hookhouse_schema" {
			fmt.Fprintf(&text, "DELETE FROM %s; ", name)
		}
	}
	return text.String(), rows.Err()
}
