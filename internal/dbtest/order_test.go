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

// openWatched returns an inbox whose statements can be watched, on connections of its
// own as in another process.
func openWatched(t *testing.T, e engine, driver, dsn string) (*sqlinbox.Inbox, *sql.DB, *fault.Plan) {
	t.Helper()
	db, plan, err := fault.Open(driver, dsn)
	must(t, err)
	t.Cleanup(func() { _ = db.Close() })
	in := sqlinbox.New(db, e.Dialect)
	must(t, in.Migrate(t.Context()))
	t.Cleanup(func() { _ = in.Close() })
	return in, db, plan
}

// openWatchedPair returns an inbox on PostgreSQL whose statements can be watched, and
// another inbox on the same store with its connections.
func openWatchedPair(t *testing.T) (in *sqlinbox.Inbox, plan *fault.Plan, other *sqlinbox.Inbox, db *sql.DB) {
	t.Helper()
	e := onPostgres(t)
	driver, dsn := e.store(t)
	in, _, plan = openWatched(t, e, driver, dsn)
	other, db = e.reopen(t, driver, dsn)
	return in, plan, other, db
}

// beforeNth calls f before the n-th operation of plan for which is reports true. The
// returned func ends that and reports whether f was called.
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

// putOrRetried waits until a Put has returned, or its statement has run twice: then
// the Put waits for something.
func putOrRetried(t *testing.T, plan *fault.Plan, put func() error) (result chan error, returned bool) {
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

// drain claims and settles until nothing can be claimed. It returns the number of
// unfinished deliveries that are left: nothing will ever claim them.
func drain(t *testing.T, in *sqlinbox.Inbox) int {
	t.Helper()
	for {
		claims := claim(t, in, 10)
		for _, c := range claims {
			settle(t, in, c, webhook.Done)
		}
		if len(claims) == 0 {
			n, err := in.Pending(t.Context(), 10)
			must(t, err)
			return n
		}
	}
}
