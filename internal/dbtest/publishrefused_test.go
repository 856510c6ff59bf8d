package dbtest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/internal/dbtest/fault"
	"github.com/hookhouse/hookhouse/webhook/publish"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// refuseSome makes the database refuse attempts with a Reason that is not ASCII, as an encoding
// without such characters does, and those of a delivery.
func refuseSome(t *testing.T, e engine, db *sql.DB) {
	t.Helper()
	if e.Dialect == sqlinbox.PostgreSQL {
		run(t, db, "ALTER TABLE hookhouse_endpoint_attempts ADD CONSTRAINT plain CHECK (reason ~ '^[ -~]*$' AND uid <> 'refused')")
		return
	}
	run(t, db, `CREATE TRIGGER plain BEFORE INSERT ON hookhouse_endpoint_attempts WHEN NEW.reason GLOB '*[^ -~]*' OR NEW.uid = 'refused'
		BEGIN SELECT RAISE(ABORT, 'not here'); END`)
}

// The attempts wait for a transaction, so that they share the next one.
func TestAnAttemptThatTheDatabaseRefusesIsStoredPlainOrAloneFails(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, db := e.open(t)
		s := publishStore(t, in)
		createEndpoint(t, s, endpoint("ep", "*"))
		refuseSome(t, e, db)
		errs, began := make([]error, 40), make([]bool, 40)
		var all sync.WaitGroup
		must(t, in.Write(t.Context(), func(ctx context.Context, tx *sql.Tx) error { // holds up the first batch
			if e.Dialect == sqlinbox.PostgreSQL {
				_, err := tx.ExecContext(ctx, "LOCK TABLE hookhouse_endpoint_attempts IN ACCESS EXCLUSIVE MODE")
				must(t, err)
			}
			for i := range errs {
				a := attemptOf("ep", publish.Failed)
				switch a.UID = fmt.Sprint(i); i {
				case 7:
					a.UID = "refused"
				case 0, 9:
					a.Reason = "nicht möglich"
				}
				all.Go(func() { began[i], errs[i] = s.Record(t.Context(), a) })
			}
			<-time.After(200 * time.Millisecond)
			return nil
		}))
		all.Wait()
		begun := 0
		for i, err := range errs {
			if i == 7 && !errors.Is(err, publish.ErrAttempt) || i != 7 && err != nil {
				t.Errorf("attempt %d: %v", i, err)
			}
			if began[i] {
				begun++
			}
		}
		if n := count(t, db, "hookhouse_endpoint_attempts"); n != 39 || begun != 1 {
			t.Errorf("%d attempts are stored, and the failing began %d times, want 39 and once", n, begun)
		}
		if n := count(t, db, "hookhouse_endpoint_attempts WHERE reason = 'nicht m?glich'"); n != 2 {
			t.Errorf("%d attempts are stored as plain text, want 2", n)
		}
	})
}

// Whichever answer of the database is lost: Record, called until it succeeds, says once that
// the failing began, and says it.
func TestALostAnswerDoesNotHideThatTheFailingBegan(t *testing.T) {
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
			committed := false
			for _, kind := range []fault.Kind{fault.LoseAnswer, fault.DropAfter} {
				for n := 1; ; n++ {
					id := fmt.Sprintf("ep%d_%d", kind, n)
					createEndpoint(t, s, endpoint(id, "*"))
					a := attemptOf(id, publish.Failed)
					plan.Break(n, kind)
					began, err := s.Record(t.Context(), a)
					broke := plan.Broke()
					plan.Break(0, 0)
					committed = committed || err != nil && count(t, db, "hookhouse_endpoint_attempts WHERE endpoint = '"+id+"'") > 0
					if err != nil {
						began, err = s.Record(t.Context(), a)
						must(t, err)
					}
					if !began {
						t.Errorf("after %s: began is false", broke)
					}
					a.UID = "another"
					if began, err = s.Record(t.Context(), a); began || err != nil {
						t.Errorf("after %s: began is %v for a later attempt, %v", broke, began, err)
					}
					if broke == "" {
						break
					}
				}
			}
			if !committed && !strings.Contains(e.Name, "SQLite") {
				t.Error("no commit succeeded without its answer")
			}
		})
	}
}
