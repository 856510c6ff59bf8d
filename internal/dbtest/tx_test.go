package dbtest

import (
	"context"
	"database/sql"
	"errors"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

func begin(t *testing.T, db *sql.DB) *sql.Tx {
	t.Helper()
	tx, err := db.BeginTx(t.Context(), nil)
	must(t, err)
	t.Cleanup(func() { _ = tx.Rollback() })
	return tx
}

func commit(t *testing.T, tx *sql.Tx) {
	t.Helper()
	must(t, tx.Commit())
}

func TestPutTxCommitsWithTheCallersRows(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, db := e.open(t)
		run(t, db, "CREATE TABLE orders (n INTEGER)")
		for _, end := range []struct {
			name string
			end  func(tx *sql.Tx) error
			want int
		}{
			{"rolled back", (*sql.Tx).Rollback, 0},
			{"committed", (*sql.Tx).Commit, 1},
		} {
			tx := begin(t, db)
			if _, err := tx.ExecContext(t.Context(), "INSERT INTO orders VALUES (1)"); err != nil {
				t.Fatal(err)
			}
			must(t, in.PutTx(t.Context(), tx, delivery("key", "mark")))
			must(t, end.end(tx))
			for _, table := range []string{"orders", "hookhouse_deliveries", "hookhouse_bodies", "hookhouse_dedup_keys"} {
				if n := count(t, db, table); n != end.want {
					t.Errorf("%s: %s has %d rows, want %d", end.name, table, n, end.want)
				}
			}
		}
		tx := begin(t, db)
		var known *webhook.DuplicateError
		if err := in.PutTx(t.Context(), tx, delivery("key", "mark")); !errors.As(err, &known) {
			t.Errorf("PutTx of a duplicate returned %v", err)
		}
		behind := delivery("key", "other")
		must(t, in.PutTx(t.Context(), tx, behind))
		commit(t, tx)
		if s := stateOf(t, in, behind.UID); s != webhook.Blocked {
			t.Errorf("the second of the key is %s, want blocked", s)
		}
	})
}

func TestSettleTxCommitsWithTheCallersRows(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, db := e.open(t)
		first, second := put(t, in, delivery("key")), put(t, in, delivery("key"))
		c := claimOne(t, in)

		tx := begin(t, db)
		must(t, in.SettleTx(t.Context(), tx, c, webhook.Outcome{State: webhook.Done}))
		must(t, tx.Rollback())
		if s := stateOf(t, in, first.UID); s != webhook.Claimed {
			t.Errorf("after a rollback it is %s, want claimed", s)
		}

		tx = begin(t, db)
		must(t, in.SettleTx(t.Context(), tx, c, webhook.Outcome{State: webhook.Done}))
		commit(t, tx)
		// What the Worker does afterwards changes nothing and is no error.
		if err := in.Extend(t.Context(), c, time.Minute); err != nil {
			t.Errorf("Extend returned %v", err)
		}
		if s, err := in.Settle(t.Context(), c, webhook.Outcome{State: webhook.Waiting, Reason: "late"}); s != webhook.Done || err != nil {
			t.Errorf("Settle returned %s, %v; want the state of SettleTx", s, err)
		}
		if s := stateOf(t, in, first.UID); s != webhook.Done {
			t.Errorf("it is %s, want done", s)
		}
		if s := stateOf(t, in, second.UID); s != webhook.Waiting {
			t.Errorf("the next of the key is %s, want waiting", s)
		}
		// A claim settled without a transaction is not settled in one.
		c = claimOne(t, in)
		settle(t, in, c, webhook.Done)
		tx = begin(t, db)
		if err := in.SettleTx(t.Context(), tx, c, webhook.Outcome{State: webhook.Done}); !errors.Is(err, webhook.ErrClaimLost) {
			t.Errorf("SettleTx of a settled claim returned %v, want ErrClaimLost", err)
		}
	})
}

func TestAReleasedClaimCannotBeSettledInATransaction(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, db := e.open(t)
		put(t, in, delivery("key"))
		old := claimOne(t, in)
		must(t, in.Release(t.Context(), old.Delivery.UID))
		current := claimOne(t, in)
		tx := begin(t, db)
		if err := in.SettleTx(t.Context(), tx, old, webhook.Outcome{State: webhook.Done}); !errors.Is(err, webhook.ErrClaimLost) {
			t.Errorf("SettleTx returned %v, want ErrClaimLost", err)
		}
		must(t, tx.Rollback())
		settle(t, in, current, webhook.Done)
	})
}

func TestAWorkerAcceptsASettlementByItsCallback(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, db := e.open(t)
		run(t, db, "CREATE TABLE effects (uid TEXT)")
		d := put(t, in, delivery("key"))
		ctx, cancel := context.WithCancel(t.Context())
		lost := 0
		handle := webhook.HandlerFunc(func(ctx context.Context, d *webhook.Delivery) error {
			tx, err := db.BeginTx(ctx, nil)
			if err != nil {
				return err
			}
			defer func() { _ = tx.Rollback() }()
			c, _ := webhook.ClaimFromContext(ctx)
			if err := in.SettleTx(ctx, tx, c, webhook.Outcome{State: webhook.Done}); err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, "INSERT INTO effects VALUES ('"+d.UID+"')"); err != nil {
				return err
			}
			return tx.Commit()
		})
		w := webhook.NewWorker(in, handle)
		w.Observer = &webhook.Observer{
			Settled: func(context.Context, webhook.Claim, webhook.Outcome, time.Duration) { cancel() },
			Lost:    func(context.Context, webhook.Claim) { lost++; cancel() },
		}
		_ = w.Run(ctx)
		if lost > 0 {
			t.Error("the worker counts the claim as lost")
		}
		if s := stateOf(t, in, d.UID); s != webhook.Done {
			t.Errorf("it is %s, want done", s)
		}
		if n := count(t, db, "effects"); n != 1 {
			t.Errorf("%d effects, want 1", n)
		}
	})
}
