package dbtest

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/internal/dbtest/fault"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// Whichever operation of a Write goes wrong, it is committed as a whole if Write says
// so, not in part if it does not, and keeps nobody from writing.
func TestAWriteThatBreaksAnywhereIsWholeAndHoldsUpNobody(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		driver, dsn := e.store(t)
		in, db, plan := openWatched(t, e, driver, dsn)
		run(t, db, "CREATE TABLE effects (uid TEXT)")
		write := func(ctx context.Context, in *sqlinbox.Inbox) error {
			return in.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
				if err := insertEffect(ctx, tx); err != nil {
					return err
				}
				return in.PutTx(ctx, tx, delivery("key"))
			})
		}
		for _, kind := range fault.Kinds {
			for n := 1; ; n++ {
				ctx, end := context.WithCancel(t.Context())
				plan.Cancel = end
				effectsBefore, deliveriesBefore := count(t, db, "effects"), count(t, db, "hookhouse_deliveries")
				var effects, deliveries int
				plan.Break(n, kind)
				err := write(ctx, in)
				broke := plan.Broke()
				plan.Break(0, 0)
				end()
				// A commit without an answer may still be running: the two counts are read
				// one after the other until they agree.
				waitFor(t, "the rows of the Write are there together or not at all", func() bool {
					effects, deliveries = count(t, db, "effects")-effectsBefore, count(t, db, "hookhouse_deliveries")-deliveriesBefore
					return effects == deliveries
				})
				if err == nil && effects != 1 || err != nil && effects == 1 && !kind.Executed() {
					t.Errorf("%s: Write returned %v after %d effects", broke, err, effects)
				}
				put(t, in, delivery("key"))
				next, end := context.WithTimeout(t.Context(), 30*time.Second)
				if err := write(next, in); err != nil {
					t.Errorf("%s: the next Write returned %v", broke, err)
				}
				end()
				if broke == "" {
					t.Logf("%d operations", n-1)
					break
				}
			}
		}
	})
}

// A driver may report its own "interrupted" where a context ends.
func TestAWriteReportsTheEndOfItsContextWhateverTheDriverMakesOfIt(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		driver, dsn := e.store(t)
		in, db, plan := openWatched(t, e, driver, dsn)
		run(t, db, "CREATE TABLE effects (uid TEXT)")
		for n, broke := 1, "none"; broke != ""; n++ {
			db.SetMaxIdleConns(0) // a Write opens its connection
			ctx, end := context.WithCancel(t.Context())
			plan.Watch(func(string) {
				if plan.Count() == n-1 {
					end()
				}
			}, nil)
			plan.Break(n, fault.Refuse)
			err := in.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
				if err := insertEffect(ctx, tx); err != nil {
					return nil // it is for Write to report the end of ctx
				}
				return in.PutTx(ctx, tx, delivery("key"))
			})
			broke = plan.Broke()
			ended := ctx.Err() != nil && !strings.Contains(broke, "ROLLBACK")
			plan.Break(0, 0)
			plan.Watch(nil, nil)
			end()
			if ended && err != nil && !errors.Is(err, context.Canceled) {
				t.Errorf("%s: Write returned %v, which is not the end of its context", broke, err)
			}
			put(t, in, delivery("key"))
		}
	})
}
