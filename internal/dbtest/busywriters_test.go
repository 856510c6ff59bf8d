package dbtest

import (
	"context"
	"database/sql"
	"sync"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// startWriters makes two inboxes, each on connections of its own as in another
// process, write without a pause until the test ends.
func startWriters(t *testing.T, e engine, driver, dsn string) {
	t.Helper()
	one, _ := e.reopen(t, driver, dsn)
	other, _ := e.reopen(t, driver, dsn)
	ctx, stop := context.WithCancel(context.Background())
	var senders sync.WaitGroup
	t.Cleanup(func() {
		stop()
		senders.Wait()
	})
	for _, in := range []webhook.Inbox{one, other} {
		for range 32 {
			senders.Go(func() {
				for ctx.Err() == nil {
					d := delivery("")
					d.Type = "beta.push"
					if err := in.Put(ctx, d); err != nil && ctx.Err() == nil {
						t.Errorf("a busy writer: %v", err)
					}
				}
			})
		}
	}
}

// SQLite has no queue of writers. One that polls seldom finds the file locked each
// time.
func TestMigrateSucceedsBesideBusyWriters(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		driver, dsn := e.store(t)
		e.reopen(t, driver, dsn)
		startWriters(t, e, driver, dsn)
		for range 60 {
			in, _ := e.reopen(t, driver, dsn) // migrates and checks
			wantNil(t, in.Close())
		}
	})
}

func TestInTxSucceedsBesideBusyWriters(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		driver, dsn := e.store(t)
		in, db := e.reopen(t, driver, dsn)
		run(t, db, "CREATE TABLE effects (uid TEXT)")
		const total = 60
		for range total {
			put(t, in, delivery(""))
		}
		startWriters(t, e, driver, dsn)
		ctx, stop := context.WithTimeout(t.Context(), 5*time.Minute)
		defer stop()
		var mux webhook.Mux
		mux.Route("alpha.push", webhook.HandlerFunc(func(ctx context.Context, d *webhook.Delivery) error {
			return in.InTx(ctx, func(tx *sql.Tx) error {
				_, err := tx.ExecContext(ctx, "INSERT INTO effects VALUES ('"+d.UID+"')")
				return err
			})
		}))
		w := webhook.NewWorker(in, &mux)
		w.Concurrency = 4
		settled := 0
		var mu sync.Mutex
		w.Observer = &webhook.Observer{Settled: func(_ context.Context, _ webhook.Claim, o webhook.Outcome, _ time.Duration) {
			mu.Lock()
			defer mu.Unlock()
			if o.State != webhook.Done {
				t.Errorf("settled as %s: %s", o.State, o.Reason)
			}
			if settled++; settled == total {
				stop()
			}
		}}
		wantNil(t, w.Run(ctx))
		if n := count(t, db, "effects"); n != total {
			t.Errorf("%d effects, want %d", n, total)
		}
	})
}

// InTx changes the timeout of the connection to begin its transaction.
func TestInTxRestoresTheBusyTimeoutOfTheConnection(t *testing.T) {
	for _, e := range []engine{modernc, ncruces} {
		t.Run(e.Name, func(t *testing.T) {
			in, db := e.open(t)
			db.SetMaxOpenConns(2) // the writer's, and the one that is looked at
			put(t, in, delivery("key"))
			busyTimeout := func(q interface {
				QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
			}) (ms int) {
				wantNil(t, q.QueryRowContext(t.Context(), "PRAGMA busy_timeout").Scan(&ms))
				return ms
			}
			before, within := busyTimeout(db), 0
			runWorker(t, in, 1, func(ctx context.Context, _ *webhook.Delivery) error {
				return in.InTx(ctx, func(tx *sql.Tx) error {
					within = busyTimeout(tx)
					return nil
				})
			})
			if after := busyTimeout(db); before != 5000 || within != before || after != before {
				t.Errorf("busy_timeout was %d before, %d within and %d after", before, within, after)
			}
		})
	}
}
