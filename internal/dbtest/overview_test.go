package dbtest

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// Done, superseded and ignored ones share an index, and so they share the limit.
func TestAnOverviewOfFinishedDeliveriesSharesALimit(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, _ := e.open(t)
		for _, s := range []webhook.State{webhook.Ignored, webhook.Done, webhook.Done} {
			put(t, in, delivery(""))
			if _, err := in.Settle(t.Context(), claimOne(t, in), webhook.Outcome{State: s}); err != nil {
				t.Fatal(err)
			}
		}
		for limit, want := range map[int]map[webhook.State]webhook.Count{
			3: {webhook.Done: {N: 2}, webhook.Ignored: {N: 1}},
			1: {webhook.Done: {N: 1, More: true}, webhook.Superseded: {More: true}, webhook.Ignored: {More: true}},
		} {
			o, err := in.Overview(t.Context(), limit)
			must(t, err)
			if d := cmp.Diff(want, o.Count); d != "" {
				t.Errorf("limit %d: -want +got\n%s", limit, d)
			}
		}
	})
}

// An overview of a million deliveries must read no more than one of ten thousand, and a
// list between two Seqs no more than what is between them.
func TestAnOverviewAndABoundedListReadByAnIndex(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		driver, dsn := e.store(t)
		in, db, watch := openWatched(t, e, driver, dsn)
		manyBlocked(t, e, db, 20000, 40)
		run(t, db, "UPDATE hookhouse_deliveries SET state = 'done', finished_at = id WHERE id > 2000")
		if e.Dialect == sqlinbox.PostgreSQL {
			run(t, db, "VACUUM ANALYZE hookhouse_deliveries")
		}
		var texts []string
		watch.Watch(func(what string) {
			if strings.Contains(what, "hookhouse_deliveries") {
				texts = append(texts, what)
			}
		}, nil)
		_, err := in.Overview(t.Context(), 100)
		must(t, err)
		n := 0
		for _, err := range in.All(t.Context(), webhook.Filter{Text: "nowhere", After: 5000, Before: 5500}) {
			must(t, err)
			n++
		}
		watch.Watch(nil, nil)
		if n != 0 || len(texts) < 3 {
			t.Fatalf("%d listed, and %d statements, want those of Overview and of All", n, len(texts))
		}
		conn, err := db.Conn(t.Context())
		must(t, err)
		defer func() { _ = conn.Close() }()
		for _, text := range texts {
			if e.Dialect == sqlinbox.PostgreSQL && !strings.Contains(text, "$1") {
				continue // the one of Stats, which has a plan of its own
			}
			text = text[max(0, min(len(text), indexOfAny(text, "SELECT", "WITH"))):]
			for line := range strings.Lines(genericPlan(t, e, conn, text)) {
				whole := strings.Contains(line, "Seq Scan on hookhouse_deliveries") ||
					strings.Contains(line, "SCAN hookhouse_deliveries") && !strings.Contains(line, "INDEX") || strings.HasSuffix(strings.TrimSpace(line), "SCAN d")
				if whole {
					t.Errorf("reads the whole table: %s\n%s", line, text)
				}
			}
		}
	})
}

// indexOfAny returns where the first of the words is.
func indexOfAny(text string, words ...string) int {
	first := len(text)
	for _, w := range words {
		if i := strings.Index(text, w); i >= 0 {
			first = min(first, i)
		}
	}
	return first
}
