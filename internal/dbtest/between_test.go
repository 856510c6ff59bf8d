package dbtest

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// sweepNow is what Sweep does, to all that is finished.
func sweepNow(t *testing.T, db *sql.DB) {
	t.Helper()
	run(t, db, `UPDATE hookhouse_dedup_keys m SET state = d.state, sender_id = d.sender_id FROM hookhouse_deliveries d WHERE d.uid = m.uid AND d.finished_at IS NOT NULL`)
	run(t, db, `DELETE FROM hookhouse_bodies WHERE id IN (SELECT id FROM hookhouse_deliveries WHERE finished_at IS NOT NULL)`)
	run(t, db, `DELETE FROM hookhouse_deliveries WHERE finished_at IS NOT NULL`)
}

// puts are the two ways to store; both return what the sender is told, after a
// commit if there is one.
func puts(in *sqlinbox.Inbox, db *sql.DB) map[string]func(ctx context.Context, d *webhook.Delivery) error {
	return map[string]func(ctx context.Context, d *webhook.Delivery) error{
		"Put": in.Put,
		"PutTx": func(ctx context.Context, d *webhook.Delivery) error {
			tx, err := db.BeginTx(ctx, nil)
			if err != nil {
				return err
			}
			defer func() { _ = tx.Rollback() }()
			err = in.PutTx(ctx, tx, d)
			if err != nil && !errors.Is(err, webhook.ErrDuplicate) {
				return err
			}
			return errors.Join(err, tx.Commit())
		},
	}
}

func TestARedeliveryThatMeetsASweepIsStored(t *testing.T) {
	if theServer == nil {
		return // SQLite lets nobody in between
	}
	e := onPostgres(theServer)
	driver, dsn := e.store(t)
	in, db, plan := watched(t, e, driver, dsn)
	for name, store := range puts(in, db) {
		t.Run(name, func(t *testing.T) {
			first := put(t, in, delivery("key"+name, "mark"+name))
			settle(t, in, claimOne(t, in), webhook.Dead)
			other := openDB(t, driver, dsn)
			reached := beforeNth(plan, 1, isFind, func() { sweepNow(t, other) })
			d := delivery("key"+name, "mark"+name)
			err := store(t.Context(), d)
			if !reached() {
				t.Fatal("nothing was swept")
			}
			if err != nil {
				t.Errorf("returned %v after %s was swept", err, first.UID)
			}
			if r, err := in.Get(t.Context(), d.UID); err != nil || r.State != webhook.Waiting {
				t.Errorf("it is %s, %v; want that it waits", r.State, err)
			}
			workOff(t, in)
		})
	}
}

func TestARedeliveryIsToldTheStateThatItFound(t *testing.T) {
	if theServer == nil {
		return // SQLite lets nobody in between
	}
	e := onPostgres(theServer)
	driver, dsn := e.store(t)
	in, db, plan := watched(t, e, driver, dsn)
	other, _ := e.reopen(t, driver, dsn)
	for name, store := range puts(in, db) {
		t.Run(name, func(t *testing.T) {
			first := put(t, in, delivery("key"+name, "mark"+name))
			settle(t, in, claimOne(t, in), webhook.Dead)
			reached := beforeNth(plan, 1, isFind, func() {
				if n, err := other.Replay(t.Context(), webhook.Filter{UID: first.UID}, webhook.Note{By: "ann"}); n != 1 || err != nil {
					t.Errorf("Replay: %d, %v", n, err)
				}
			})
			err := store(t.Context(), delivery("", "mark"+name)) // which does not hold the key
			if !reached() {
				t.Fatal("nothing was replayed")
			}
			var known *webhook.DuplicateError
			if !errors.As(err, &known) || known.State != webhook.Waiting || known.Revived || known.UID != first.UID {
				t.Errorf("returned %v, want a duplicate of %s, which waits", err, first.UID)
			}
			workOff(t, in)
		})
	}
}

// Another writer stores the dedup key when room has been made for the delivery:
// that must be undone, or the key has no head, or an older one of its burst is
// lost.
func TestNothingMakesRoomForADuplicate(t *testing.T) {
	if theServer == nil {
		return // SQLite lets nobody in between
	}
	e := onPostgres(theServer)
	for _, name := range []string{"Put", "PutTx"} {
		for _, c := range []struct {
			name  string
			quiet time.Duration
			made  string // the statement that makes room
		}{
			{"a head that lets younger ones pass", 0, "UPDATE hookhouse_deliveries SET state = 'blocked'"},
			{"an older one of a burst", time.Hour, "UPDATE hookhouse_deliveries SET state = 'superseded'"},
		} {
			t.Run(name+" behind "+c.name, func(t *testing.T) {
				driver, dsn := e.store(t)
				in, db, plan := watched(t, e, driver, dsn)
				other, _ := e.reopen(t, driver, dsn)
				fresh := func(marks ...string) *webhook.Delivery {
					d := delivery("key", marks...)
					d.Coalesce.Quiet = c.quiet
					return d
				}
				older := put(t, in, fresh())
				if c.quiet == 0 {
					o := webhook.Outcome{State: webhook.Waiting, Delay: time.Hour, RetryOutOfOrder: true}
					if _, err := in.Settle(t.Context(), claimOne(t, in), o); err != nil {
						t.Fatal(err)
					}
				}
				made := false
				reached := beforeNth(plan, 1, func(what string) bool {
					made = made || strings.Contains(what, c.made)
					return made && isInsert(what)
				}, func() { put(t, other, delivery("", "mark")) })
				d := fresh("mark")
				err := puts(in, db)[name](t.Context(), d)
				if !reached() {
					t.Fatal("nothing came in between")
				}
				if err == nil || name == "Put" && !errors.Is(err, webhook.ErrDuplicate) {
					t.Errorf("returned %v", err)
				}
				if s := stateOf(t, in, older.UID); s != webhook.Waiting {
					t.Errorf("the older one is %s, want waiting", s)
				}
				if _, err := in.Get(t.Context(), d.UID); !errors.Is(err, webhook.ErrNotFound) {
					t.Errorf("the duplicate: %v, want that it is not there", err)
				}
			})
		}
	}
}
