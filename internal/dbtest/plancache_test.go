package dbtest

import (
	"fmt"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// PostgreSQL plans a prepared statement anew for each execution if it takes the plan for
// given arguments to be much cheaper than the general one. Planning a Put costs more
// than running it.
func TestPostgresPlansEachStatementAFewTimesOnly(t *testing.T) {
	e := onPostgres(t)
	in, db := e.open(t)
	db.SetMaxOpenConns(1)
	db.SetMaxIdleConns(1)
	for n := range 20 {
		put(t, in, delivery(fmt.Sprint("key ", n), fmt.Sprint("id ", n), fmt.Sprint("signature ", n)))
		claims, err := in.Claim(t.Context(), webhook.ClaimOptions{Lease: time.Hour})
		must(t, err)
		if len(claims) != 1 {
			t.Fatalf("%d claims, want 1", len(claims))
		}
		must(t, in.Extend(t.Context(), claims[0], time.Hour))
		outcome := webhook.Outcome{State: webhook.Done}
		if n%2 == 1 {
			outcome = webhook.Outcome{State: webhook.Waiting, Delay: time.Hour, Reason: "no answer"}
		}
		_, err = in.Settle(t.Context(), claims[0], outcome)
		must(t, err)
	}
	rows, err := db.Query("SELECT statement, generic_plans + custom_plans, custom_plans FROM pg_prepared_statements")
	must(t, err)
	defer rows.Close()
	frequent := 0
	for rows.Next() {
		var text string
		var executed, planned int
		must(t, rows.Scan(&text, &executed, &planned))
		if executed < 10 {
			continue
		}
		frequent++
		if planned > 5 { // PostgreSQL compares the costs after five
			t.Errorf("planned %d times in %d executions: %s", planned, executed, text)
		}
	}
	must(t, rows.Err())
	if frequent < 3 {
		t.Errorf("%d statements ran ten times, want those of Put, Claim and Settle", frequent)
	}
}
