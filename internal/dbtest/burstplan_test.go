package dbtest

import (
	"database/sql"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/internal/statement"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// ofBursts are the statements that look for the deliveries of a burst, with the types of
// their arguments in PostgreSQL.
var ofBursts = map[string]map[string]string{
	"supersede":         {"source": "'alpha'", "key": "'key'", "type": "'alpha.push'", "uid": "'new'"},
	"newer":             {"source": "'alpha'", "key": "'key'", "type": "'alpha.push'", "origin": "1"},
	"insert_attempt":    {"state": "'waiting'", "lost": "0", "reason": "''", "uid": "'u'", "fence": "1", "current": "'claimed'"},
	"retry":             {"yield": "0", "delay": "0", "reason": "''", "uncounted": "0", "released": "0", "uid": "'u'", "fence": "1"},
	"superseded_claims": {"any": "1", "types": "'[]'", "except": "'[]'"},
}

// blockedByOthers fills an ordering key with blocked deliveries of another type.
const blockedByOthers = `INSERT INTO hookhouse_deliveries (id, uid, source, sender_id, type, ordering_key, key_label, state, received_at, due_at, coalesce_quiet_us, coalesce_max_us, burst_started_at, size)
	SELECT n, 'u' || n, 'alpha', '', 'alpha.other', 'key', '', 'blocked', 1, 1, 0, 0, 1, 2 FROM `

// The cost of a Put and of a retry in a burst must not grow with the deliveries of other
// types that its ordering key blocks.
func TestTheStatementsOfBurstsReadNoOtherTypes(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		_, db := e.open(t)
		if e.Dialect == sqlinbox.SQLite {
			run(t, db, blockedByOthers+"(WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 5000) SELECT n FROM s)")
		}
		for name, plan := range burstPlans(t, e, db) {
			checkBurstPlan(t, name, plan)
		}
		if e.Dialect == sqlinbox.PostgreSQL { // the first plans were those of an empty table
			run(t, db, blockedByOthers+"generate_series(1, 20000) AS n")
			run(t, db, "VACUUM ANALYZE hookhouse_deliveries")
			for name, plan := range burstPlans(t, e, db) {
				checkBurstPlan(t, name+" with statistics", plan)
			}
		}
	})
}

func checkBurstPlan(t *testing.T, name, plan string) {
	t.Helper()
	if !strings.Contains(plan, "hookhouse_coalescing") || strings.Contains(plan, "hookhouse_blocked") || strings.Contains(plan, "hookhouse_due") {
		t.Errorf("the plan of %s is\n%s\nwant blocked deliveries by the index hookhouse_coalescing alone", name, plan)
	}
}

// burstPlans returns the plans for any arguments, by the name of the statement.
func burstPlans(t *testing.T, e engine, db *sql.DB) map[string]string {
	t.Helper()
	file, syntax, explain := "sqlite", statement.Syntax{}, "EXPLAIN QUERY PLAN "
	if e.Dialect == sqlinbox.PostgreSQL {
		file, syntax = "postgres", statement.Syntax{Numbered: true, Now: "(extract(epoch FROM statement_timestamp()) * 1000000)::bigint"}
	}
	text, err := os.ReadFile("../../webhook/sqlinbox/query/" + file + ".sql")
	must(t, err)
	conn, err := db.Conn(t.Context())
	must(t, err)
	defer func() { _ = conn.Close() }()
	plans := make(map[string]string)
	for name, values := range ofBursts {
		q := statement.Read(string(text), syntax).Get(name)
		statementText, args := explain+q.Text, make([]any, len(q.Args))
		if e.Dialect == sqlinbox.PostgreSQL {
			list := make([]string, len(q.Args))
			for i, arg := range q.Args {
				list[i] = values[arg]
			}
			for _, s := range []string{"SET plan_cache_mode = force_generic_plan", "SET enable_seqscan = off", fmt.Sprintf("PREPARE %s AS %s", name, q.Text)} {
				_, err := conn.ExecContext(t.Context(), s)
				must(t, err)
			}
			statementText, args = fmt.Sprintf("EXPLAIN EXECUTE %s (%s)", name, strings.Join(list, ", ")), nil
		}
		plans[name] = planOf(t, conn, statementText, args)
		if e.Dialect == sqlinbox.PostgreSQL {
			_, err := conn.ExecContext(t.Context(), "DEALLOCATE "+name)
			must(t, err)
		}
	}
	return plans
}

func planOf(t *testing.T, conn *sql.Conn, text string, args []any) string {
	t.Helper()
	rows, err := conn.QueryContext(t.Context(), text, args...)
	must(t, err)
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	must(t, err)
	var lines []string
	for rows.Next() {
		values := make([]any, len(columns))
		for i := range values {
			values[i] = new(sql.NullString)
		}
		must(t, rows.Scan(values...))
		lines = append(lines, values[len(values)-1].(*sql.NullString).String)
	}
	must(t, rows.Err())
	return strings.Join(lines, "\n")
}
