// Package schema holds all SQL of the bench that names tables or columns of the
// inbox. Its texts have the names of schema version 3 and are translated for
// version 2.
package schema

import (
	"context"
	"database/sql"
	"fmt"
	"regexp"
)

// Tables, with a condition, for counting.
const (
	Deliveries = "hookhouse_deliveries"
	Stored     = Deliveries + " JOIN hookhouse_bodies USING (id)"
	Settled    = Deliveries + " WHERE state = 'done'"
	Unsettled  = Deliveries + " WHERE state <> 'done'"
)

// After returns the deliveries whose UIDs sort after uid, for counting.
func After(uid string) string { return Deliveries + " WHERE uid > '" + uid + "'" }

// Vacuum cleans up after settlements.
const Vacuum = "VACUUM ANALYZE " + Deliveries

// Count counts the rows of what stands behind FROM.
func Count(db *sql.DB, from string) func(context.Context) (int, error) {
	return func(ctx context.Context) (n int, err error) {
		err = db.QueryRowContext(ctx, "SELECT count(*) FROM "+from).Scan(&n)
		return n, err
	}
}

// namesBefore are the names of version 2 for those of version 3.
var namesBefore = map[string]string{
	"ordering_key": "key", "key_label": "label", "received_at": "received", "due_at": "due", "finished_at": "ended",
	"coalesce_quiet_us": "quiet", "coalesce_max_us": "most", "burst_started_at": "burst",
	"hookhouse_dedup_keys": "hookhouse_marks", "dedup_key": "mark", "seen_at": "at",
}

var word = regexp.MustCompile(`\w+`)

// namesOf returns a function that translates texts for the tables of a database.
func namesOf(ctx context.Context, db *sql.DB) (translate func(text string) string, err error) {
	var version int
	if err := db.QueryRowContext(ctx, "SELECT version FROM hookhouse_schema").Scan(&version); err != nil {
		return nil, fmt.Errorf("schema: %w", err)
	}
	return func(text string) string {
		if version > 2 {
			return text
		}
		return word.ReplaceAllStringFunc(text, func(name string) string {
			if before, ok := namesBefore[name]; ok {
				return before
			}
			return name
		})
	}, nil
}
