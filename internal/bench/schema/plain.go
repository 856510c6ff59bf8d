package schema

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/hookhouse/hookhouse/internal/bench/env"
	"github.com/hookhouse/hookhouse/webhook"
)

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
