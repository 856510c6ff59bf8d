package dbtest

import (
	"database/sql"
	"strings"
	"sync"
	"testing"

	"github.com/hookhouse/hookhouse/internal/dbtest/fault"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// watched returns an inbox on a store whose statements can be watched, on
// connections of its own as in another process.
func watched(t *testing.T, e engine, driver, dsn string) (*sqlinbox.Inbox, *sql.DB, *fault.Plan) {
	t.Helper()
	db, plan, err := fault.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	in := sqlinbox.New(db, e.dialect)
	if err := in.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = in.Close() })
	return in, db, plan
}

// watchedBeside returns an inbox on PostgreSQL whose statements can be watched, and
// another one on the same store with its connections.
func watchedBeside(t *testing.T) (in *sqlinbox.Inbox, plan *fault.Plan, other *sqlinbox.Inbox, db *sql.DB) {
	t.Helper()
	e := onPostgres(theServer)
	driver, dsn := e.store(t)
	in, _, plan = watched(t, e, driver, dsn)
	other, db = e.reopen(t, driver, dsn)
	return in, plan, other, db
}

// beforeNth calls f before the n-th operation of plan that is such a one, and
// returns a func that tells whether there was one.
func beforeNth(plan *fault.Plan, n int, is func(what string) bool, f func()) (reached func() bool) {
	var mu sync.Mutex
	seen := 0
	plan.Watch(func(what string) {
		mu.Lock()
		defer mu.Unlock()
		if is(what) {
			if seen++; seen == n {
				f()
			}
		}
	}, nil)
	return func() bool {
		plan.Watch(nil, nil)
		mu.Lock()
		defer mu.Unlock()
		return seen >= n
	}
}

func contains(parts ...string) func(string) bool {
	return func(what string) bool {
		for _, part := range parts {
			if !strings.Contains(what, part) {
				return false
			}
		}
		return true
	}
}

var (
	isInsert = contains("INTO hookhouse_deliveries")
	isFind   = contains("coalesce(first_id, id), state, source, ordering_key", "FOR UPDATE")
)

// settledOrTried waits until a Put has returned, or its statement has been tried
// twice: it waits for something then.
func settledOrTried(t *testing.T, plan *fault.Plan, put func() error) (result chan error, returned bool) {
	t.Helper()
	tried := make(chan struct{}, 100)
	plan.Watch(nil, func(what string) {
		if isInsert(what) {
			select {
			case tried <- struct{}{}:
			default:
			}
		}
	})
	defer plan.Watch(nil, nil)
	result = make(chan error, 1)
	go func() { result <- put() }()
	for n := 0; n < 2; {
		select {
		case <-tried:
			n++
		case err := <-result:
			result <- err
			return result, true
		}
	}
	return result, false
}

// workOff claims and settles until nothing is claimed, and reports how many are
// left unfinished: nobody will ever claim them.
func workOff(t *testing.T, in *sqlinbox.Inbox) int {
	t.Helper()
	for {
		claims := claim(t, in, 10)
		for _, c := range claims {
			settle(t, in, c, webhook.Done)
		}
		if len(claims) == 0 {
			n, err := in.Pending(t.Context(), 10)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
}
