package main

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

// fillType is the type of all deliveries in filled tables.
const fillType = "github.push"

// A shape is how the rows of a table stand to each other, as SQL over i, which
// goes from 1 to n. $keys is the number of keys: a tenth of n.
type shape struct {
	name  string
	key   string
	state string
	more  bool // finished ones, to which fewRows that wait are added
}

const (
	shapeFinished = "finished, and 1000 waiting"
	shapeHot      = "waiting on one key"
	shapeKeys     = "waiting, ten to a key"
)

var shapes = []shape{
	{shapeFinished, `'old' || (i % $keys)`, `'done'`, true},
	{shapeHot, `'hot'`, `CASE WHEN i = 1 THEN 'waiting' ELSE 'blocked' END`, false},
	{shapeKeys, `'key' || (i % $keys)`, `CASE WHEN i <= $keys THEN 'waiting' ELSE 'blocked' END`, false},
}

// fillings are the statements for i from $from to $to, in the true schema. A
// body is small: a million of 8 KB would be 8 GB, and bodies stand in a table
// that is read by its primary key alone.
var fillings = map[place]struct {
	series, uid, body string
	after             []string
}{
	inSQLite: {
		series: `WITH RECURSIVE s(i) AS (VALUES($from) UNION ALL SELECT i + 1 FROM s WHERE i < $to)`,
		uid:    `printf('uid%012d', i)`, body: `CAST(printf('{"ref":"refs/heads/main","number":%d}', i) AS BLOB)`,
		after: []string{"PRAGMA wal_checkpoint(TRUNCATE)"},
	},
	inPostgres: {
		series: `WITH s(i) AS (SELECT generate_series($from, $to))`,
		uid:    `'uid' || lpad(i::text, 12, '0')`, body: `convert_to('{"ref":"refs/heads/main","number":' || i || '}', 'UTF8')`,
		after: []string{"SELECT setval('hookhouse_ids', (SELECT max(id) FROM hookhouse_deliveries))", "VACUUM ANALYZE", "CHECKPOINT"},
	},
}

// fill makes n rows of that shape.
func (sh shape) fill(ctx context.Context, db *sql.DB, in place, n int) error {
	if err := sh.insert(ctx, db, in, 1, n, max(n/10, 1)); err != nil {
		return err
	}
	if sh.more {
		waiting := shape{key: `'new' || i`, state: `'waiting'`}
		if err := waiting.insert(ctx, db, in, n+1, n+fewRows, 1); err != nil {
			return err
		}
	}
	for _, text := range fillings[in].after {
		if _, err := db.ExecContext(ctx, text); err != nil {
			return fmt.Errorf("%s: %w", text, err)
		}
	}
	return nil
}

func (sh shape) insert(ctx context.Context, db *sql.DB, in place, from, to, keys int) error {
	f := fillings[in]
	const began = 1_790_000_000_000_000 // some µs of the past
	deliveries := fmt.Sprintf(`INSERT INTO hookhouse_deliveries (id, uid, source, sender_id, type, ordering_key, key_label, state, received_at, due_at, finished_at, coalesce_quiet_us, coalesce_max_us, burst_started_at, size)
%s SELECT i, %s, 'github', CAST(i AS TEXT), '%s', %s, '', %s, %d + i, %d + i, CASE WHEN %s = 'done' THEN %d + i END, 0, 0, %d, 64 FROM s`,
		f.series, f.uid, fillType, sh.key, sh.state, began, began, sh.state, began, began)
	texts := []string{
		deliveries,
		f.series + ` INSERT INTO hookhouse_bodies (id, envelope, body) SELECT i, '{"header":{"X-Github-Event":["push"]}}', ` + f.body + ` FROM s`,
		f.series + ` INSERT INTO hookhouse_dedup_keys (source, dedup_key, uid, seen_at) SELECT 'github', 'id:' || i, ` + f.uid + fmt.Sprintf(`, %d FROM s`, began),
	}
	values := strings.NewReplacer("$from", fmt.Sprint(from), "$to", fmt.Sprint(to), "$keys", fmt.Sprint(keys))
	for _, text := range texts {
		if _, err := db.ExecContext(ctx, values.Replace(text)); err != nil {
			return err
		}
	}
	return nil
}
