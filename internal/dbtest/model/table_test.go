package model

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/hookhouse/hookhouse/webhook"
)

// A stored is a delivery as the tables have it, and how many rows of others are
// its own.
type stored struct {
	uid, key string
	state    webhook.State
	again    bool // it was made to run again
	bodies   int
	marks    int
}

// readTables returns what is stored, by uid, and how many bodies there are.
func readTables(ctx context.Context, db *sql.DB) (map[string]*stored, int, error) {
	rows, err := db.QueryContext(ctx, `SELECT d.uid, d.ordering_key, d.state, d.first_id IS NOT NULL,
		(SELECT count(*) FROM hookhouse_bodies b WHERE b.id = d.id), (SELECT count(*) FROM hookhouse_dedup_keys m WHERE m.uid = d.uid),
		(SELECT count(*) FROM hookhouse_bodies)
		FROM hookhouse_deliveries d`)
	if err != nil {
		return nil, 0, err
	}
	defer func() { _ = rows.Close() }()
	all, bodies := make(map[string]*stored), 0
	for rows.Next() {
		s := new(stored)
		if err := rows.Scan(&s.uid, &s.key, &s.state, &s.again, &s.bodies, &s.marks, &bodies); err != nil {
			return nil, 0, err
		}
		all[s.uid] = s
	}
	return all, bodies, rows.Err()
}

// hurry makes everything due, and ends all leases.
func hurry(ctx context.Context, db *sql.DB) error {
	_, err := db.ExecContext(ctx, `UPDATE hookhouse_deliveries SET due_at = 0, lease_expires_at = 0 WHERE state IN ('waiting', 'blocked', 'claimed')`)
	return err
}

// emptied is what empties the tables, whichever the schema has.
func emptied(ctx context.Context, db *sql.DB, list string) (string, error) {
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
