package dbtest

import (
	"database/sql"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// manyBlocked inserts rows deliveries that an ordering key blocks, in a number of keys.
func manyBlocked(t *testing.T, e engine, db *sql.DB, rows, keys int) {
	t.Helper()
	from := fmt.Sprintf("(WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < %d) SELECT n FROM s) AS s", rows)
	text := fmt.Sprintf("INSERT INTO hookhouse_deliveries (id, uid, source, sender_id, type, ordering_key, key_label, state, received_at, due_at, coalesce_quiet_us, coalesce_max_us, burst_started_at, size) "+
		"SELECT n + 1000, 'u' || n, 'alpha', '', 'alpha.event', 'key' || (n %% %d), '', 'blocked', 1, 1, 0, 0, 1, 2 FROM %s", keys, from)
	run(t, db, text)
	run(t, db, "UPDATE hookhouse_deliveries SET state = 'waiting', due_at = 9000000000000000 WHERE id IN (SELECT min(id) FROM hookhouse_deliveries GROUP BY ordering_key)")
	if e.Dialect == sqlinbox.PostgreSQL {
		run(t, db, "SELECT setval('hookhouse_ids', (SELECT max(id) FROM hookhouse_deliveries))")
		run(t, db, "VACUUM ANALYZE hookhouse_deliveries")
	}
}

// genericPlan returns the plan of a statement for any arguments.
func genericPlan(t *testing.T, e engine, conn *sql.Conn, text string) string {
	t.Helper()
	if e.Dialect == sqlinbox.SQLite {
		return planOf(t, conn, "EXPLAIN QUERY PLAN "+text, make([]any, strings.Count(text, "?")))
	}
	for _, s := range []string{"SET plan_cache_mode = force_generic_plan", "PREPARE stmt AS " + text} {
		if _, err := conn.ExecContext(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	n := 0
	for regexp.MustCompile(fmt.Sprintf(`\$%d\b`, n+1)).MatchString(text) {
		n++
	}
	values := strings.TrimSuffix(strings.Repeat("NULL, ", n), ", ")
	plan := planOf(t, conn, "EXPLAIN EXECUTE stmt ("+values+")", nil)
	_, err := conn.ExecContext(t.Context(), "DEALLOCATE stmt")
	must(t, err)
	return plan
}

// What ReleaseKey and GiveUp do to one ordering key must not cost more because that key,
// and others, block many deliveries.
func TestReleaseKeyAndGiveUpFindAnOrderingKeyByAnIndex(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		driver, dsn := e.store(t)
		in, db, watch := openWatched(t, e, driver, dsn)
		in.Logger = slog.New(slog.DiscardHandler)
		manyBlocked(t, e, db, 20000, 40)
		var texts []string
		watch.Watch(func(what string) {
			if strings.Contains(what, "hookhouse_deliveries") && !strings.Contains(what, "max(id)") {
				texts = append(texts, what)
			}
		}, nil)
		must(t, in.ReleaseKey(t.Context(), "alpha", "key7"))
		run(t, db, "UPDATE hookhouse_deliveries SET state = 'claimed', lease_expires_at = 9000000000000000, fence = 1 WHERE ordering_key = 'key7' AND state = 'waiting'")
		if err := in.ReleaseKey(t.Context(), "alpha", "key7"); err == nil { // looks at the claim
			t.Fatal("a claimed one was released")
		}
		if n, err := in.GiveUp(t.Context(), webhook.Filter{Source: "alpha", OrderingKey: "key8"}, webhook.Ignored, ann); n != 500 || err != nil {
			t.Fatalf("GiveUp: %d, %v", n, err)
		}
		watch.Watch(nil, nil)
		conn, err := db.Conn(t.Context())
		must(t, err)
		defer func() { _ = conn.Close() }()
		found := make(map[string]bool)
		for _, text := range texts {
			text = text[max(0, regexp.MustCompile(`SELECT|UPDATE|WITH`).FindStringIndex(text)[0]):]
			name, index := "", "hookhouse_head"
			switch {
			case strings.HasPrefix(text, "UPDATE") && strings.Contains(text, "SET due_at ="):
				name = "release_key"
			case strings.HasPrefix(text, "SELECT state FROM"):
				name = "head_state"
			case strings.Contains(text, "retry_out_of_order, d.id)"):
				name, index = "blocked page", "hookhouse_blocked"
			case strings.HasPrefix(text, "SELECT d.id, d.retry"):
				name = "head page"
			case strings.Contains(text, "SET state =") && strings.Contains(text, "reason ="):
				name, index = "give_up", "PRIMARY KEY"
				if e.Dialect == sqlinbox.PostgreSQL {
					index = "hookhouse_deliveries_pkey"
				}
			default:
				continue
			}
			found[name] = true
			plan := genericPlan(t, e, conn, text)
			if !strings.Contains(plan, index) || strings.Contains(plan, "Seq Scan on hookhouse") || strings.Contains(plan, "SCAN d") ||
				strings.Contains(plan, "SCAN hookhouse") || strings.Contains(plan, "Sort") || strings.Contains(plan, "TEMP B-TREE") {
				t.Errorf("the plan of %s, want one by %s that sorts nothing, is\n%s\nof\n%s", name, index, plan, text)
			}
		}
		if len(found) != 5 {
			t.Errorf("found the statements %v, want 5", found)
		}
	})
}
