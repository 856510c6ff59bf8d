package dbtest

import (
	"database/sql"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// waitingRows insert n deliveries that wait, of a type, live or replayed.
func waitingRows(t *testing.T, e engine, db *sql.DB, n int, typ string, replayed int) {
	t.Helper()
	from := fmt.Sprintf("WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < %d)", n)
	columns := "uid, source, sender_id, type, ordering_key, key_label, state, received_at, due_at, coalesce_quiet_us, coalesce_max_us, burst_started_at, size, replayed"
	name := "'" + typ + "' || n"
	if e.Dialect == sqlinbox.PostgreSQL {
		name = "'" + typ + "' || n::text"
	}
	run(t, db, fmt.Sprintf("INSERT INTO hookhouse_deliveries (%s) %s SELECT %s, 'alpha', '', '%s', '', '', 'waiting', 1, n, 0, 0, 1, 7, %d FROM s",
		columns, from, name, typ, replayed))
}

// claimText returns the statement by which an inbox claims.
func claimText(t *testing.T, e engine, driver, dsn string) (string, *sql.DB) {
	t.Helper()
	in, db, plan := openWatched(t, e, driver, dsn)
	var text string
	plan.Watch(func(what string) {
		if strings.Contains(what, "RETURNING") && strings.Contains(what, "hookhouse_pauses") {
			text = what
		}
	}, nil)
	defer plan.Watch(nil, nil)
	_, err := in.Claim(t.Context(), webhook.ClaimOptions{Lease: time.Hour})
	must(t, err)
	if text = text[max(strings.Index(text, "WITH RECURSIVE"), 0):]; text == "" {
		t.Fatal("Claim ran no statement")
	}
	return text, db
}

// A paused type and a replay may have any number of deliveries. A claim reads none of the
// one and, of the other, only as many as it claims.
func TestAClaimOnPostgresReadsNoBacklog(t *testing.T) {
	e := onPostgres(t)
	driver, dsn := e.store(t)
	text, db := claimText(t, e, driver, dsn)
	fill(t, e, db, 20000)
	run(t, db, "VACUUM ANALYZE hookhouse_deliveries")
	conn, err := db.Conn(t.Context())
	must(t, err)
	defer func() { _ = conn.Close() }()
	for _, statement := range []string{"SET plan_cache_mode = force_generic_plan", "PREPARE claiming AS " + text} {
		if _, err := conn.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	rows, err := conn.QueryContext(t.Context(), "EXPLAIN (ANALYZE, BUFFERS) EXECUTE claiming (1, 1000000, 10, '[]', '[]', 1, 8000000, 'test')")
	must(t, err)
	var lines []string
	for rows.Next() {
		var line string
		must(t, rows.Scan(&line))
		lines = append(lines, line)
	}
	must(t, rows.Err())
	p := strings.Join(lines, "\n")
	pages := 0
	for _, m := range regexp.MustCompile(`(?:hit|read)=(\d+)`).FindAllStringSubmatch(lines[1], -1) {
		n, _ := strconv.Atoi(m[1])
		pages += n
	}
	if pages == 0 || pages > 400 || strings.Contains(p, "JIT") || strings.Contains(p, "Seq Scan on hookhouse_deliveries") {
		t.Errorf("it reads %d pages; the plan is\n%s", pages, p)
	}
	if n := count(t, db, "hookhouse_deliveries WHERE state = 'claimed' AND type IN ('live', 'replayed')"); n != 10 {
		t.Errorf("%d are claimed, want 10", n)
	}
	if n := count(t, db, "hookhouse_deliveries WHERE state = 'claimed' AND type = 'live'"); n != 5 {
		t.Errorf("%d live ones are claimed, want all 5", n)
	}
}

func TestAClaimOnSQLiteReadsNoBacklog(t *testing.T) {
	e := modernc
	driver, dsn := e.store(t)
	text, db := claimText(t, e, driver, dsn)
	fill(t, e, db, 1000)
	run(t, db, "ANALYZE")
	rows, err := db.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+text, make([]any, strings.Count(text, "?"))...)
	must(t, err)
	defer func() { _ = rows.Close() }()
	var plan []string
	for rows.Next() {
		var id, parent, unused int
		var detail string
		must(t, rows.Scan(&id, &parent, &unused, &detail))
		plan = append(plan, detail)
	}
	must(t, rows.Err())
	p := strings.Join(plan, "\n")
	if n := strings.Count(p, "SEARCH w USING COVERING INDEX hookhouse_due (type=? AND replayed=? AND due_at<?)") +
		strings.Count(p, "SEARCH w USING INDEX hookhouse_due (type=? AND replayed=? AND due_at<?)"); n != 2 {
		t.Errorf("live and replayed ones are not looked up in the index; the plan is\n%s", p)
	}
	if strings.Contains(p, "SCAN d\n") || strings.Contains(p, "SCAN hookhouse_deliveries") {
		t.Errorf("it reads a whole table; the plan is\n%s", p)
	}
}

// fill stores rows deliveries of a paused type, rows that are replayed, and 5 live ones.
func fill(t *testing.T, e engine, db *sql.DB, rows int) {
	t.Helper()
	waitingRows(t, e, db, rows, "paused", 0)
	waitingRows(t, e, db, rows, "replayed", 1)
	waitingRows(t, e, db, 5, "live", 0)
	run(t, db, "INSERT INTO hookhouse_pauses (type, paused_at, who, why) VALUES ('paused', 1, 'ann', '')")
}
