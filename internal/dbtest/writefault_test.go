package dbtest

import (
	"context"
	"database/sql"
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
		in, db, plan := watched(t, e, driver, dsn)
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
				plan.Impatient = end
				effects, deliveries := count(t, db, "effects"), count(t, db, "hookhouse_deliveries")
				plan.Break(n, kind)
				err := write(ctx, in)
				broke := plan.Broke()
				plan.Break(0, 0)
				end()
				// What has no answer may be under way.
				time.Sleep(5 * time.Millisecond)
				effects, deliveries = count(t, db, "effects")-effects, count(t, db, "hookhouse_deliveries")-deliveries
				if effects != deliveries || err == nil && effects != 1 || err != nil && effects == 1 && !kind.Executed() {
					t.Errorf("%s: Write returned %v after %d effects and %d deliveries", broke, err, effects, deliveries)
				}
				start := time.Now()
				put(t, in, delivery("key"))
				if err := write(t.Context(), in); err != nil {
					t.Errorf("%s: the next Write returned %v", broke, err)
				}
				if took := time.Since(start); took > 2*time.Second {
					t.Errorf("%s: the next Put and Write took %v", broke, took)
				}
				if broke == "" {
					t.Logf("%d operations", n-1)
					break
				}
			}
		}
	})
}
