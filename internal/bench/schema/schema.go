// Package schema holds all SQL of the bench that names tables or columns of the
// inbox. Its texts have the names of schema versions 3 and 4, which are the same, and
// are translated for version 2.
package schema

import (
	"cmp"
	"context"
	"crypto/sha256"
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

// columnsBefore are the names of version 2 for those of version 3.
var columnsBefore = map[string]string{
	"ordering_key": "key", "key_label": "label", "received_at": "received", "due_at": "due", "finished_at": "ended",
	"coalesce_quiet_us": "quiet", "coalesce_max_us": "most", "burst_started_at": "burst",
}

var word = regexp.MustCompile(`\w+`)

// A version is that of the tables of a database. Since version 3 dedup keys are
// hashes.
type version int

func versionOf(ctx context.Context, db *sql.DB) (v version, err error) {
	if err = db.QueryRowContext(ctx, "SELECT version FROM hookhouse_schema").Scan(&v); err != nil {
		err = fmt.Errorf("schema: %w", err)
	}
	return v, err
}

func (v version) hashed() bool { return v >= 3 }

// text translates a text with the names of version 3.
func (v version) text(s string) string {
	if v >= 3 {
		return s
	}
	return word.ReplaceAllStringFunc(s, func(name string) string { return cmp.Or(columnsBefore[name], name) })
}

// Inserts are the statements of a program that stores each request by itself:
// the rows that the inbox stores. They look for a head of the ordering key and
// leave everything else to the constraints: a duplicate is an error.
type Inserts struct {
	version
	Delivery  string // $1 UID, source, sender's id, type, ordering key, received, $7 size of the body; on PostgreSQL it returns the id
	Body      string // $1 id, envelope, body
	DedupKeys string // as DedupArgs returns
	// AtOnce does all of it on PostgreSQL: $1 to $7 as Delivery, envelope, body, and
	// $10 and $11 the two dedup keys as Key returns them.
	AtOnce string
}

const insertDelivery = `INSERT INTO hookhouse_deliveries (uid, source, sender_id, type, ordering_key, key_label, received_at, size, coalesce_quiet_us, coalesce_max_us, state, burst_started_at, due_at)
SELECT %s, CASE WHEN EXISTS (SELECT 1 FROM hookhouse_deliveries WHERE source = $2 AND ordering_key = $5 AND state IN ('waiting', 'claimed') AND ordering_key <> '')
  THEN '%s' ELSE 'waiting' END, %s`

// InsertsOf returns the statements for the tables that the inbox made.
func InsertsOf(ctx context.Context, db *sql.DB, b env.Backend) (s Inserts, err error) {
	if s.version, err = versionOf(ctx, db); err != nil {
		return s, err
	}
	s.Delivery = s.text(fmt.Sprintf(insertDelivery, `$1, $2, $3, $4, $5, '', $6, $7, 0, 0`, webhook.Blocked, `$6, $6`))
	s.Body = `INSERT INTO hookhouse_bodies (id, envelope, body) VALUES ($1, $2, $3)`
	s.DedupKeys = `INSERT INTO hookhouse_marks (source, mark, uid, at) VALUES ($5, $1, $3, $4), ($5, $2, $3, $4)`
	keysAtOnce := `INSERT INTO hookhouse_marks (source, mark, uid, at) VALUES ($2, $10::text, $1, $6), ($2, $11::text, $1, $6)`
	if s.hashed() {
		s.DedupKeys = `INSERT INTO hookhouse_dedup_keys (hash, delivery_id, seen_at) VALUES ($1, $3, $4), ($2, $3, $4)`
		keysAtOnce = `INSERT INTO hookhouse_dedup_keys (hash, delivery_id, seen_at) SELECT k.hash, d.id, $6 FROM d, (VALUES ($10::bytea), ($11::bytea)) AS k(hash)`
	}
	if b == env.PostgreSQL { // which has to know the types of arguments in a SELECT
		s.Delivery = s.text(fmt.Sprintf(insertDelivery, `$1::text, $2::text, $3::text, $4::text, $5::text, '', $6::bigint, $7::bigint, 0, 0`, webhook.Blocked, `$6::bigint, $6::bigint`)) + ` RETURNING id`
		s.AtOnce = `WITH d AS (` + s.Delivery + `), b AS (
  INSERT INTO hookhouse_bodies (id, envelope, body) SELECT id, $8::text, $9::bytea FROM d
) ` + keysAtOnce
	}
	return s, nil
}

// Key returns a dedup key of d as the inbox stores it.
func (s Inserts) Key(d *webhook.Delivery, n int) any {
	if !s.hashed() {
		return d.DedupKeys[n]
	}
	sum := sha256.Sum256([]byte(d.Source + "\x00" + d.DedupKeys[n]))
	return sum[:16]
}

// DedupArgs returns the arguments of DedupKeys.
func (s Inserts) DedupArgs(d *webhook.Delivery, id int64) []any {
	if !s.hashed() {
		return []any{s.Key(d, 0), s.Key(d, 1), d.UID, d.ReceivedAt.UnixMicro(), d.Source}
	}
	return []any{s.Key(d, 0), s.Key(d, 1), id, d.ReceivedAt.UnixMicro()}
}
