package schema

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/hookhouse/hookhouse/internal/bench/env"
	"github.com/hookhouse/hookhouse/webhook"
)

// FillType is the type of all deliveries in filled tables.
const FillType = "github.push"

// A Shape describes the rows of a table by SQL over i, which goes from 1 to n.
// $keys is the number of ordering keys: a tenth of n.
type Shape struct {
	Name    string
	Key     string // ordering key
	State   string
	Waiting int    // rows that are added to finished ones, each with an ordering key of its own
	Source  string // empty: 'github'
	Type    string // empty: FillType
	Reason  string // empty: none
	Header  string // JSON of the header; empty: that of a push
	// Apart is how many microseconds are between one delivery and the next. Zero means 1.
	Apart int
}

// pushHeader is the header of a push, as JSON in SQL.
const pushHeader = `'{"X-Github-Event":["push"]}'`

// began is when the filling begins, in µs: some time in the past.
const began = 1_790_000_000_000_000

// ReceivedAt is when the delivery i was received.
func (sh Shape) ReceivedAt(i int) time.Time {
	return time.UnixMicro(began + int64(i*cmp.Or(sh.Apart, 1)))
}

// fillings are the statements for i from $from to $to. Bodies are small: a million
// of 8 KB would take 8 GB, and bodies are read by their primary key alone.
var fillings = map[env.Backend]struct {
	series, uid, body string
	hash              string // of a dedup key; on SQLite a random one
	after             []string
}{
	env.SQLite: {
		series: `WITH RECURSIVE s(i) AS (VALUES($from) UNION ALL SELECT i + 1 FROM s WHERE i < $to)`,
		uid:    `printf('uid%012d', i)`, body: `CAST(printf('{"ref":"refs/heads/main","number":%d}', i) AS BLOB)`,
		hash:  `randomblob(16)`,
		after: []string{"PRAGMA wal_checkpoint(TRUNCATE)"},
	},
	env.PostgreSQL: {
		series: `WITH s(i) AS (SELECT generate_series($from, $to))`,
		uid:    `'uid' || lpad(i::text, 12, '0')`, body: `convert_to('{"ref":"refs/heads/main","number":' || i || '}', 'UTF8')`,
		hash:  `substring(sha256(convert_to('github', 'UTF8') || '\x00'::bytea || convert_to('id:' || i, 'UTF8')) FROM 1 FOR 16)`,
		after: []string{"SELECT setval('hookhouse_ids', (SELECT max(id) FROM hookhouse_deliveries))", "VACUUM ANALYZE", "CHECKPOINT"},
	},
}

// Fill makes n rows of that shape in the empty tables of an inbox.
func (sh Shape) Fill(ctx context.Context, db *sql.DB, b env.Backend, n int) error {
	v, err := versionOf(ctx, db)
	if err != nil {
		return err
	}
	texts := sh.inserts(b, v, 1, n, max(n/10, 1))
	if sh.Waiting > 0 {
		waiting := Shape{Key: `'new' || i`, State: quoted(webhook.Waiting)}
		texts = append(texts, waiting.inserts(b, v, n+1, n+sh.Waiting, 1)...)
	}
	for _, text := range append(texts, fillings[b].after...) {
		if _, err := db.ExecContext(ctx, v.text(text)); err != nil {
			return fmt.Errorf("schema: %w in %s", err, text)
		}
	}
	return nil
}

func (sh Shape) inserts(b env.Backend, v version, from, to, keys int) []string {
	f := fillings[b]
	dedupKeys := ` INSERT INTO hookhouse_marks (source, mark, uid, at) SELECT 'github', 'id:' || i, ` + f.uid
	if v.hashed() {
		dedupKeys = ` INSERT INTO hookhouse_dedup_keys (hash, delivery_id, seen_at) SELECT ` + f.hash + `, i`
	}
	received := fmt.Sprintf(`%d + i * CAST(%d AS bigint)`, began, cmp.Or(sh.Apart, 1))
	texts := []string{
		fmt.Sprintf(`INSERT INTO hookhouse_deliveries (id, uid, source, sender_id, type, ordering_key, key_label, state, received_at, due_at, finished_at, coalesce_quiet_us, coalesce_max_us, burst_started_at, size, reason)
%s SELECT i, %s, %s, CAST(i AS TEXT), %s, %s, '', %s, %s, %s, CASE WHEN %s NOT IN ('waiting', 'blocked', 'claimed') THEN %s END, 0, 0, %d, 64, %s FROM s`,
			f.series, f.uid, cmp.Or(sh.Source, `'github'`), cmp.Or(sh.Type, `'`+FillType+`'`), sh.Key, sh.State, received, received, sh.State, received, began, cmp.Or(sh.Reason, `''`)),
		f.series + ` INSERT INTO hookhouse_bodies (id, envelope, body) SELECT i, '{"header":' || ` + cmp.Or(sh.Header, pushHeader) + ` || '}', ` + f.body + ` FROM s`,
		f.series + dedupKeys + fmt.Sprintf(`, %d FROM s`, began),
	}
	values := strings.NewReplacer("$from", fmt.Sprint(from), "$to", fmt.Sprint(to), "$keys", fmt.Sprint(keys))
	for i := range texts {
		texts[i] = values.Replace(texts[i])
	}
	return texts
}

// The shapes that claims are measured in.
var (
	Finished = Shape{Name: "finished, and 1000 waiting", Key: `'old' || (i % $keys)`, State: quoted(webhook.Done), Waiting: 1000}
	OneKey   = Shape{Name: "waiting on one key", Key: `'hot'`, State: First(`i = 1`)}
	TenToKey = Shape{Name: "waiting, ten to a key", Key: `'key' || (i % $keys)`, State: First(`i <= $keys`)}
)

func quoted(s webhook.State) string { return "'" + string(s) + "'" }

// First is the state of rows that wait, of which only some are the first of their
// ordering keys.
func First(condition string) string {
	return `CASE WHEN ` + condition + ` THEN ` + quoted(webhook.Waiting) + ` ELSE ` + quoted(webhook.Blocked) + ` END`
}
