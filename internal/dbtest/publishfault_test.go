package dbtest

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/internal/dbtest/fault"
	"github.com/hookhouse/hookhouse/webhook/publish"
	"github.com/hookhouse/hookhouse/webhook/publish/sqlstore"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// publishSteps use every method of a store that writes. Each returns its error.
var publishSteps = []func(ctx context.Context, s publish.Store) error{
	func(ctx context.Context, s publish.Store) error {
		_, err := s.Create(ctx, endpoint("ep", "a.b", "a.*"))
		return err
	},
	func(ctx context.Context, s publish.Store) error {
		_, err := s.Record(ctx, attemptOf("ep", publish.Failed))
		return err
	},
	func(ctx context.Context, s publish.Store) error {
		_, err := s.Update(ctx, "ep", func(e *publish.Endpoint) error {
			e.Events, e.State = []string{"c.d"}, publish.Paused
			return nil
		})
		return err
	},
	func(ctx context.Context, s publish.Store) error {
		_, err := s.Record(ctx, attemptOf("ep", publish.Delivered))
		return err
	},
	func(ctx context.Context, s publish.Store) error {
		_, err := s.Update(ctx, "ep", func(e *publish.Endpoint) error {
			e.State = publish.Disabled
			return nil
		})
		return err
	},
	func(ctx context.Context, s publish.Store) error {
		_, err := s.Sweep(ctx, time.Now().Add(time.Hour), 0)
		return err
	},
	func(ctx context.Context, s publish.Store) error { return s.Delete(ctx, "ep") },
}

// Whatever operation of the database fails, in whatever way: the call returns an error or has
// done all of what it does, nothing is half done, and the next call succeeds.
func TestAFaultOfTheDatabaseLeavesNothingHalfDone(t *testing.T) {
	for _, e := range []engine{modernc, onPostgres(t)} {
		t.Run(e.Name, func(t *testing.T) {
			driver, dsn := e.store(t)
			_, healthy := e.reopen(t, driver, dsn)
			db, plan, err := fault.Open(driver, dsn)
			must(t, err)
			t.Cleanup(func() { _ = db.Close() })
			in := sqlinbox.New(db, e.Dialect)
			t.Cleanup(func() { _ = in.Close() })
			s := publishStore(t, in)
			for i, step := range publishSteps {
				for _, before := range publishSteps[:i] {
					must(t, before(t.Context(), s))
				}
				for n := 1; ; n++ {
					plan.Break(n, fault.Kinds[(n+i)%4]) // not Delay: only Record has a context of its own
					failed := step(t.Context(), s)
					broke := plan.Broke()
					plan.Break(0, 0)
					wantWhole(t, healthy)
					if broke == "" {
						must(t, failed)
						break
					}
					clearEndpoints(t, s)
					for _, before := range publishSteps[:i] {
						if err := before(t.Context(), s); err != nil {
							t.Fatalf("after %s: %v", broke, err)
						}
					}
				}
				clearEndpoints(t, s)
			}
		})
	}
}

func clearEndpoints(t *testing.T, s *sqlstore.Store) {
	t.Helper()
	if err := s.Delete(t.Context(), "ep"); err != nil && !errors.Is(err, publish.ErrNotFound) {
		t.Fatal(err)
	}
	_, err := s.Sweep(t.Context(), time.Now().Add(time.Hour), 0)
	must(t, err)
}

// wantWhole requires that the patterns of each endpoint are those of its row, and that there
// are no others.
func wantWhole(t *testing.T, db *sql.DB) {
	t.Helper()
	var seq int64
	var doc, state string
	err := db.QueryRowContext(t.Context(), "SELECT seq, doc, state FROM hookhouse_endpoints").Scan(&seq, &doc, &state)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		t.Fatal(err)
	}
	var want struct{ Events []string }
	if err == nil && state != string(publish.Disabled) {
		must(t, json.Unmarshal([]byte(doc), &want))
	}
	rows, err := db.QueryContext(t.Context(), "SELECT pattern, endpoint FROM hookhouse_subscriptions ORDER BY pattern DESC")
	must(t, err)
	defer func() { _ = rows.Close() }()
	var got []string
	for rows.Next() {
		var pattern string
		var endpoint int64
		must(t, rows.Scan(&pattern, &endpoint))
		if endpoint != seq {
			t.Errorf("%s is a pattern of %d, which is not there", pattern, endpoint)
		}
		got = append(got, pattern)
	}
	must(t, rows.Err())
	if !slices.Equal(got, want.Events) {
		t.Errorf("the patterns are %q, want %q", got, want.Events)
	}
}
