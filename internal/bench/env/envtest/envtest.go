// Package envtest gives the tests of one package an [env.Env] to share.
package envtest

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/internal/bench/env"
	"github.com/hookhouse/hookhouse/webhook"
)

// Env is there from the start of the tests to their end.
var Env *env.Env

// Main is for TestMain of packages that need an Env or [Commands].
func Main(m *testing.M, commands ...env.Commands) {
	Commands(commands...)
	var err error
	if Env, err = env.New(context.Background(), ""); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	Env.Close()
	os.Exit(code)
}

// Commands runs the command that [env.Self] started the test binary for, if any,
// and exits.
func Commands(all ...env.Commands) {
	for _, commands := range all {
		if len(os.Args) < 2 || commands[os.Args[1]] == nil {
			continue
		}
		if err := commands[os.Args[1]](context.Background(), os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
}

// Complete fails the test unless a table has those rows, and all of its figures.
func Complete(t *testing.T, table string, rows ...string) {
	t.Helper()
	for _, row := range rows {
		if !strings.Contains(table, "\n| "+row+" | ") {
			t.Errorf("no row %q in\n%s", row, table)
		}
	}
	if strings.Contains(table, "NaN") || strings.Contains(table, "Inf") {
		t.Errorf("a figure is missing in\n%s", table)
	}
}

// States counts the deliveries of an inbox by their states.
func States(t *testing.T, db *sql.DB) map[webhook.State]int {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), "SELECT state, count(*) FROM hookhouse_deliveries GROUP BY state")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	all := make(map[webhook.State]int)
	for rows.Next() {
		var state webhook.State
		var n int
		if err := rows.Scan(&state, &n); err != nil {
			t.Fatal(err)
		}
		all[state] = n
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}
