package dbtest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"testing"
	"time"

	databases "github.com/hookhouse/hookhouse/internal/dbtest/engine"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// under returns an engine whose transactions have the given isolation unless
// they name another.
func (e engine) under(isolation string) engine {
	newStore := e.NewStore
	e.NewStore = func(tb testing.TB) databases.Store {
		return newStore(tb).With("default_transaction_isolation=" + url.PathEscape(isolation))
	}
	return e
}

var isolations = []string{"read committed", "repeatable read", "serializable"}

func TestATransactionWithSnapshotIsolationIsRefused(t *testing.T) {
	in, db := onPostgres(t).open(t)
	put(t, in, delivery("key"))
	c := claimOne(t, in)
	for _, level := range []sql.IsolationLevel{sql.LevelRepeatableRead, sql.LevelSerializable} {
		tx, err := db.BeginTx(t.Context(), &sql.TxOptions{Isolation: level})
		must(t, err)
		if err := in.PutTx(t.Context(), tx, delivery("key")); !errors.Is(err, sqlinbox.ErrIsolation) {
			t.Errorf("PutTx under %s returned %v, want ErrIsolation", level, err)
		}
		if err := in.SettleTx(t.Context(), tx, c, webhook.Outcome{State: webhook.Done}); !errors.Is(err, sqlinbox.ErrIsolation) {
			t.Errorf("SettleTx under %s returned %v, want ErrIsolation", level, err)
		}
		must(t, tx.Rollback())
	}
	settle(t, in, c, webhook.Done)
}

// The first statement of a callback fixes the snapshot of a transaction of another
// isolation. A delivery that came later was blocked by nothing and never ran.
func TestInTxPromotesDeliveriesThatComeMeanwhileUnderAnyIsolation(t *testing.T) {
	for _, isolation := range isolations {
		t.Run(isolation, func(t *testing.T) {
			in, _ := onPostgres(t).under(isolation).open(t)
			first := put(t, in, delivery("key"))
			var second *webhook.Delivery
			w := webhook.NewWorker(in, webhook.HandlerFunc(func(ctx context.Context, d *webhook.Delivery) error {
				return in.InTx(ctx, func(tx *sql.Tx) error {
					var n int
					err := tx.QueryRowContext(ctx, "SELECT count(*) FROM hookhouse_deliveries").Scan(&n)
					if d.UID == first.UID && err == nil {
						second = delivery("key")
						err = in.Put(ctx, second)
					}
					return err
				})
			}))
			ctx, stop := context.WithCancel(t.Context())
			var working sync.WaitGroup
			working.Go(func() { _ = w.Run(ctx) })
			waitFor(t, "both are done", func() bool {
				st, err := in.Stats(t.Context())
				return err == nil && st.Count[webhook.Done] == 2
			})
			stop()
			working.Wait()
		})
	}
}

func TestConcurrentClaimsSucceedUnderAnyIsolation(t *testing.T) {
	for _, isolation := range isolations {
		t.Run(isolation, func(t *testing.T) {
			e := onPostgres(t).under(isolation)
			driver, dsn := e.store(t)
			inboxes := make([]*sqlinbox.Inbox, 4)
			for i := range inboxes {
				inboxes[i], _ = e.reopen(t, driver, dsn)
			}
			const total = 400
			for i := range total {
				d := delivery(fmt.Sprint("key", i%20))
				if i%2 == 0 {
					d.OrderingKey = ""
				}
				put(t, inboxes[0], d)
			}
			var all sync.WaitGroup
			for _, in := range inboxes {
				all.Go(func() {
					for n := 1; n > 0; {
						claims, err := in.Claim(t.Context(), webhook.ClaimOptions{N: 8, Lease: time.Hour})
						n = len(claims)
						for _, c := range claims {
							_, failed := in.Settle(t.Context(), c, webhook.Outcome{State: webhook.Done})
							err = errors.Join(err, in.Extend(t.Context(), c, time.Hour), failed)
						}
						if err != nil {
							t.Error(err)
						}
					}
				})
			}
			all.Wait()
			st, err := inboxes[0].Stats(t.Context())
			must(t, err)
			if left := st.Count[webhook.Claimed] + st.Count[webhook.Blocked]; st.Count[webhook.Done] == 0 || st.Count[webhook.Claimed] > 0 {
				t.Errorf("%d done, %d left", st.Count[webhook.Done], left)
			}
		})
	}
}

// All connections of the pool are in transactions that call PutTx.
func TestPutTxNeedsNoSecondConnection(t *testing.T) {
	e := onPostgres(t)
	driver, dsn := e.store(t)
	e.reopen(t, driver, dsn)
	db := openDB(t, driver, dsn)
	db.SetMaxOpenConns(3)
	in := sqlinbox.New(db, e.Dialect) // it has checked nothing yet
	t.Cleanup(func() { _ = in.Close() })
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var ready, all sync.WaitGroup
	ready.Add(3)
	for range 3 {
		all.Go(func() {
			tx, err := db.BeginTx(ctx, nil)
			if err != nil {
				t.Error(err)
				ready.Done()
				return
			}
			ready.Done()
			ready.Wait() // nobody has a connection left
			wantNil(t, in.PutTx(ctx, tx, delivery("")))
			wantNil(t, tx.Commit())
		})
	}
	all.Wait()
}

// A probe that gives up does not mean that the database has changed.
func TestACancelledPingDoesNotUndoTheCheck(t *testing.T) {
	e := onPostgres(t)
	driver, dsn := e.store(t)
	in, db := e.reopen(t, driver, dsn)
	put(t, in, delivery("key"))
	c := claimOne(t, in)
	ended, end := context.WithCancel(t.Context())
	end()
	if err := in.Ping(ended); !errors.Is(err, context.Canceled) {
		t.Fatalf("Ping returned %v", err)
	}
	db.SetMaxOpenConns(1)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	tx, err := db.BeginTx(ctx, nil)
	must(t, err)
	wantNil(t, in.SettleTx(ctx, tx, c, webhook.Outcome{State: webhook.Done}))
	commit(t, tx)
}
