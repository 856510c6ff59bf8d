package dbtest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/internal/dbtest/fault"
	"github.com/hookhouse/hookhouse/webhook/publish"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// revision is how often the row of an endpoint was written.
func revision(t *testing.T, db *sql.DB, id string) (n int) {
	t.Helper()
	must(t, db.QueryRowContext(t.Context(), "SELECT revision FROM hookhouse_endpoints WHERE id = '"+id+"'").Scan(&n))
	return n
}

func TestTheRowOfAnEndpointIsWrittenOnlyWhenItsFailingBeginsOrEnds(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, db := e.open(t)
		s := publishStore(t, in)
		createEndpoint(t, s, endpoint("ep", "*"))
		for _, step := range []struct {
			result publish.Result
			want   int
		}{{publish.Delivered, 1}, {publish.Failed, 2}, {publish.Rejected, 2}, {publish.Delivered, 3}} {
			var all sync.WaitGroup
			for range 50 {
				all.Go(func() {
					_, err := s.Record(t.Context(), attemptOf("ep", step.result))
					wantNil(t, err)
				})
			}
			all.Wait()
			if n := revision(t, db, "ep"); n != step.want {
				t.Errorf("after 50 attempts that are %s the row has been written %d times, want %d", step.result, n, step.want)
			}
		}
	})
}

// The attempts of a batch have the effect of one after the other, in their order.
func TestOneBatchCanBeginAndEndTheFailingOfAnEndpointSeveralTimes(t *testing.T) {
	for _, e := range []engine{modernc, onPostgres(t)} {
		t.Run(e.Name, func(t *testing.T) {
			in, db := e.open(t)
			s := publishStore(t, in)
			createEndpoint(t, s, endpoint("ep", "*"))
			results := []publish.Result{publish.Failed, publish.Failed, publish.Delivered, publish.Failed, publish.Skipped, publish.Delivered, publish.Failed}
			began := make([]bool, len(results))
			var all sync.WaitGroup
			must(t, in.Write(t.Context(), func(ctx context.Context, tx *sql.Tx) error { // holds up the first batch
				if e.Dialect == sqlinbox.PostgreSQL {
					_, err := tx.ExecContext(ctx, "LOCK TABLE hookhouse_endpoint_attempts IN ACCESS EXCLUSIVE MODE")
					must(t, err)
				}
				all.Go(func() {
					_, err := s.Record(t.Context(), attemptOf("other", publish.Skipped))
					wantNil(t, err)
				})
				<-time.After(100 * time.Millisecond)
				for i, r := range results {
					all.Go(func() {
						var err error
						began[i], err = s.Record(t.Context(), attemptOf("ep", r))
						wantNil(t, err)
					})
					<-time.After(20 * time.Millisecond)
				}
				return nil
			}))
			all.Wait()
			if got := fmt.Sprint(began); got != "[true false false true false false true]" {
				t.Errorf("began is %s", got)
			}
			if n := revision(t, db, "ep"); n != 6 {
				t.Errorf("the row has been written %d times, want 6", n)
			}
		})
	}
}

func TestAttemptsThatWaitShareAStatement(t *testing.T) {
	for _, e := range []engine{modernc, onPostgres(t)} {
		t.Run(e.Name, func(t *testing.T) {
			driver, dsn := e.store(t)
			e.reopen(t, driver, dsn)
			db, plan, err := fault.Open(driver, dsn)
			must(t, err)
			t.Cleanup(func() { _ = db.Close() })
			in := sqlinbox.New(db, e.Dialect)
			t.Cleanup(func() { _ = in.Close() })
			s := publishStore(t, in)
			createEndpoint(t, s, endpoint("ep", "*"))
			var inserts, updates atomic.Int64
			plan.Watch(func(what string) {
				if strings.Contains(what, "UPDATE hookhouse_endpoints") {
					updates.Add(1)
				}
				if strings.Contains(what, "INSERT INTO hookhouse_endpoint_attempts") && !strings.HasPrefix(what, "prepare") {
					inserts.Add(1)
					<-time.After(20 * time.Millisecond) // the next attempts gather
				}
			}, nil)
			var all sync.WaitGroup
			for range 500 {
				all.Go(func() {
					_, err := s.Record(t.Context(), attemptOf("ep", publish.Delivered))
					wantNil(t, err)
				})
			}
			all.Wait()
			plan.Watch(nil, nil)
			if n, u := inserts.Load(), updates.Load(); n < 2 || n > 50 || u > 0 {
				t.Errorf("500 attempts of an endpoint that is not failing took %d inserts, and %d updates of its row", n, u)
			}
		})
	}
}

// Conflicts with other processes are tried again.
func TestRecordAndUpdateRetryConflicts(t *testing.T) {
	in, db := onPostgres(t).open(t) // SQLite has one writer
	s := publishStore(t, in)
	createEndpoint(t, s, endpoint("ep", "*"))
	for table, event := range map[string]string{"hookhouse_endpoint_attempts": "INSERT", "hookhouse_endpoints": "UPDATE"} {
		for _, state := range []string{"serialization_failure", "deadlock_detected"} {
			run(t, db, `CREATE SEQUENCE refused;
				CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
					IF nextval('refused') <= 5 THEN RAISE `+state+` USING MESSAGE = 'another was quicker'; END IF;
					RETURN NEW;
				END $$;
				CREATE TRIGGER refuse BEFORE `+event+` ON `+table+` FOR EACH ROW EXECUTE FUNCTION refuse()`)
			_, err := s.Record(t.Context(), attemptOf("ep", publish.Failed))
			wantNil(t, err)
			_, err = s.Update(t.Context(), "ep", func(e *publish.Endpoint) error {
				e.FailingSince = time.Time{}
				return nil
			})
			wantNil(t, err)
			run(t, db, "DROP TRIGGER refuse ON "+table+"; DROP FUNCTION refuse; DROP SEQUENCE refused")
		}
	}
}

func TestAStoreThatIsCalledInsideAWriteFailsAndDoesNotHang(t *testing.T) {
	in, _ := modernc.open(t) // PostgreSQL has many writers
	s := publishStore(t, in)
	must(t, in.Write(t.Context(), func(ctx context.Context, _ *sql.Tx) error {
		if _, err := s.Create(ctx, endpoint("ep", "*")); err == nil || !strings.Contains(err.Error(), "InTx or Write") {
			t.Errorf("Create returned %v", err)
		}
		short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
		defer cancel()
		if _, err := s.Record(short, attemptOf("ep", publish.Failed)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Record returned %v", err)
		}
		return nil
	}))
	_, err := s.Record(t.Context(), attemptOf("ep", publish.Failed)) // goes on
	must(t, err)
}

// A Sweep leaves to another one what that is deleting.
func TestConcurrentSweepsDeleteEachAttemptOnce(t *testing.T) {
	for _, e := range []engine{modernc, onPostgres(t)} {
		t.Run(e.Name, func(t *testing.T) {
			const n = 2300
			driver, dsn := e.store(t)
			in, db := e.reopen(t, driver, dsn)
			s := publishStore(t, in)
			createEndpoint(t, s, endpoint("ep", "*"))
			var recording, sweeping sync.WaitGroup
			for range n {
				recording.Go(func() {
					_, err := s.Record(t.Context(), attemptOf("ep", publish.Rejected))
					wantNil(t, err)
				})
			}
			recording.Wait()
			var swept atomic.Int64
			for range 4 {
				in, _ := e.reopen(t, driver, dsn)
				s := publishStore(t, in)
				sweeping.Go(func() {
					n, err := s.Sweep(t.Context(), time.Now().Add(time.Hour), 10*n)
					wantNil(t, err)
					swept.Add(int64(n))
				})
			}
			sweeping.Wait()
			if left := count(t, db, "hookhouse_endpoint_attempts"); swept.Load() != n-1 || left != 1 {
				t.Errorf("%d attempts were swept and %d are left, want %d and the last", swept.Load(), left, n-1)
			}
		})
	}
}
