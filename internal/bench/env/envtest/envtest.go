// Package envtest gives the tests of one package an [env.Env] to share.
package envtest

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"testing"

	"github.com/hookhouse/hookhouse/internal/bench/env"
	"github.com/hookhouse/hookhouse/webhook"
)

// Env is there from the start of the tests to their end.
var Env *env.Env

// Main is for TestMain of packages that need an Env or [Commands].
func Main(m *testing.M, commands env.Commands) {
	Commands(commands)
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
func Commands(commands env.Commands) {
	if len(os.Args) < 2 || commands[os.Args[1]] == nil {
		return
	}
	if err := commands[os.Args[1]](context.Background(), os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
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
