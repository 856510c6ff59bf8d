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

// A lookUp is a statement that must look rows up: its arguments, and the parts of its plans
// that say by which index.
type lookUp struct {
	args             map[string]string
	sqlite, postgres string
}

var ofPublishing = map[string]lookUp{
	"match": {
		map[string]string{"owner": "'acme'", "patterns": `'["a.b", "a.*", "*"]'`},
		"SEARCH s USING PRIMARY KEY (owner=? AND pattern=?)", "hookhouse_subscriptions_pkey",
	},
	"match_kinds": {
		map[string]string{"kinds": `'[{"n":0,"owner":"acme","patterns":["a.b", "a.*", "*"]}]'`},
		"SEARCH s USING PRIMARY KEY (owner=? AND pattern=?)", "hookhouse_subscriptions_pkey",
	},
	"endpoint": {
		map[string]string{"id": "'ep7'"},
		"(id=?)", "hookhouse_endpoints_id_key",
	},
	"endpoints": {
		map[string]string{"ids": `'["ep7", "ep8"]'`},
		"hookhouse_endpoint_attempts_endpoint (endpoint=?)", "hookhouse_endpoint_attempts_endpoint",
	},
	"named": {
		map[string]string{"name_key": "'name 7'", "owner": "'acme'", "id": "'ep7'"},
		"hookhouse_endpoint_names (name_key=? AND owner=?)", "hookhouse_endpoint_names",
	},
	"failing": {
		map[string]string{"ids": `'["ep7", "ep8"]'`},
		"(id=?)", "hookhouse_endpoints_id_key",
	},
	"insert_steady": {
		map[string]string{"rows": `'[{"n":0,"endpoint":"ep7","began_at":7,"result":"failed"}]'`, "delivered": `'["ep8"]'`, "failed": `'["ep7"]'`},
		"", "hookhouse_endpoints_id_key",
	},
	"begin_failing": {
		map[string]string{"endpoint": "'ep7'", "at": "7"},
		"(id=?)", "hookhouse_endpoints_id_key",
	},
	"is_recorded": {
		map[string]string{"endpoint": "'ep7'", "at": "7", "uid": "'u'", "number": "1", "result": "'failed'"},
		"hookhouse_endpoint_attempts_began (began_at=?)", "hookhouse_endpoint_attempts_began",
	},
	"has_begun": {
		map[string]string{"endpoint": "'ep7'", "at": "7", "uid": "'u'", "number": "1"},
		"hookhouse_endpoint_attempts_began (began_at=?)", "hookhouse_endpoint_attempts_began",
	},
	"last_attempts": {
		map[string]string{"ids": `'["ep7", "ep8"]'`},
		"hookhouse_endpoint_attempts_endpoint (endpoint=?)", "hookhouse_endpoint_attempts_endpoint",
	},
}

// manyEndpoints and manyAttempts fill tables from a series of numbers n.
var manyEndpoints = []string{
	`INSERT INTO hookhouse_endpoints (id, owner, name_key, state, lanes, revision, doc, sealed_by, secrets)
		SELECT 'ep' || n, 'acme', 'name ' || n, 'active', 0, 1, '{}', '', '{}' FROM `,
	`INSERT INTO hookhouse_subscriptions (owner, pattern, endpoint) SELECT 'acme', 'type' || n || '.*', n FROM `,
	`INSERT INTO hookhouse_endpoint_attempts (endpoint, event, uid, type, number, began_at, took_us, result, status, reason, response)
		SELECT 'ep' || (n % 100), 'e' || n, 'u', 't', 1, n, 1, 'delivered', 200, '', '' FROM `,
}

func TestTheStatementsOfAPublishStoreLookRowsUp(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, db := e.open(t)
		publishStore(t, in)
		series := "(WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 5000) SELECT n FROM s)"
		if e.Dialect == sqlinbox.PostgreSQL {
			series = "generate_series(1, 5000) AS n"
		}
		for _, text := range manyEndpoints {
			run(t, db, strings.ReplaceAll(text, "'{}' FROM", cast(e, "'{}'")+" FROM")+series)
		}
		run(t, db, "ANALYZE")
		for name, plan := range publishPlans(t, e, db) {
			want := ofPublishing[name].sqlite
			if e.Dialect == sqlinbox.PostgreSQL {
				want = ofPublishing[name].postgres
			}
			if !strings.Contains(plan, want) {
				t.Errorf("the plan of %s is\n%s\nwant a look-up by %s", name, plan, want)
			}
		}
	})
}

// cast makes a text the bytes that the database wants.
func cast(e engine, text string) string {
	if e.Dialect == sqlinbox.PostgreSQL {
		return text + "::bytea"
	}
	return "CAST(" + text + " AS BLOB)"
}

// publishPlans returns the plans for the arguments, by the name of the statement.
func publishPlans(t *testing.T, e engine, db *sql.DB) map[string]string {
	t.Helper()
	file, syntax, explain := "sqlite", statement.Syntax{}, "EXPLAIN QUERY PLAN "
	if e.Dialect == sqlinbox.PostgreSQL {
		file, syntax, explain = "postgres", statement.Syntax{Numbered: true}, "EXPLAIN "
	}
	text, err := os.ReadFile("../../webhook/publish/sqlstore/query/" + file + ".sql")
	must(t, err)
	conn, err := db.Conn(t.Context())
	must(t, err)
	defer func() { _ = conn.Close() }()
	plans := make(map[string]string)
	for name, look := range ofPublishing {
		q := statement.Read(string(text), syntax).Get(name)
		if q.Text == "" { // this database does not have it
			plans[name] = ""
			continue
		}
		full, args := explain+q.Text, make([]any, len(q.Args))
		if e.Dialect == sqlinbox.PostgreSQL {
			args = nil
			for i := len(q.Args); i > 0; i-- {
				full = strings.ReplaceAll(full, fmt.Sprint("$", i), look.args[q.Args[i-1]])
			}
		}
		plans[name] = planOf(t, conn, full, args)
	}
	return plans
}
