// Package schema holds all SQL of the bench that names tables or columns of the
// inbox. Its texts have the names of schema version 3 and are translated for
// version 2.
package schema

import (
	"context"
	"database/sql"
	"fmt"
	"regexp"

	"github.com/hookhouse/hookhouse/internal/bench/env"
	"github.com/hookhouse/hookhouse/webhook"
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

// Count returns a function that counts rows; from is what follows FROM.
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

// Inserts are the statements of a program that stores each request by itself:
// the rows that the inbox stores. They look for a head of the ordering key and
// leave everything else to the constraints: a duplicate is an error.
type Inserts struct {
	Delivery  string // $1 UID, source, sender's id, type, ordering key, received, $7 size of the body; on PostgreSQL it returns the id
	Body      string // $1 id, envelope, body
	DedupKeys string // $1 source, two dedup keys, UID, $5 received
	// AtOnce does all of it on PostgreSQL: $1 to $7 as Delivery, envelope, body, and
	// $11 the second dedup key.
	AtOnce string
}

const (
	insertDelivery = `INSERT INTO hookhouse_deliveries (uid, source, sender_id, type, ordering_key, key_label, received_at, size, coalesce_quiet_us, coalesce_max_us, state, burst_started_at, due_at)
SELECT %s, CASE WHEN EXISTS (SELECT 1 FROM hookhouse_deliveries WHERE source = $2 AND ordering_key = $5 AND state IN ('waiting', 'claimed') AND ordering_key <> '')
  THEN '%s' ELSE 'waiting' END, %s`
	insertDedupKeys = `INSERT INTO hookhouse_dedup_keys (source, dedup_key, uid, seen_at) VALUES `
)

// InsertsOf returns the statements for the tables that the inbox made.
func InsertsOf(ctx context.Context, db *sql.DB, b env.Backend) (Inserts, error) {
	names, err := namesOf(ctx, db)
	if err != nil {
		return Inserts{}, err
	}
	s := Inserts{
		Delivery:  fmt.Sprintf(insertDelivery, `$1, $2, $3, $4, $5, '', $6, $7, 0, 0`, webhook.Blocked, `$6, $6`),
		Body:      `INSERT INTO hookhouse_bodies (id, envelope, body) VALUES ($1, $2, $3)`,
		DedupKeys: insertDedupKeys + `($1, $2, $4, $5), ($1, $3, $4, $5)`,
	}
	if b == env.PostgreSQL { // which has to know the types of arguments in a SELECT
		s.Delivery = fmt.Sprintf(insertDelivery, `$1::text, $2::text, $3::text, $4::text, $5::text, '', $6::bigint, $7::bigint, 0, 0`, webhook.Blocked, `$6::bigint, $6::bigint`) + ` RETURNING id`
		s.AtOnce = `WITH d AS (` + s.Delivery + `), b AS (
  INSERT INTO hookhouse_bodies (id, envelope, body) SELECT id, $8::text, $9::bytea FROM d
) ` + insertDedupKeys + `($2, $10::text, $1, $6), ($2, $11::text, $1, $6)`
	}
	return Inserts{names(s.Delivery), names(s.Body), names(s.DedupKeys), names(s.AtOnce)}, nil
}
