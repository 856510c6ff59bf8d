package dbtest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// A refused row is simulated by a trigger, since no valid delivery is one.
func TestOneBadRowDoesNotFailItsNeighbours(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, db := e.open(t)
		if e.dialect == sqlinbox.SQLite {
			run(t, db, `CREATE TRIGGER bad BEFORE INSERT ON hookhouse_deliveries WHEN NEW.type = 'alpha.bad' BEGIN SELECT RAISE(ABORT, 'bad row'); END`)
		} else {
			run(t, db, `ALTER TABLE hookhouse_deliveries ADD CONSTRAINT bad CHECK (type <> 'alpha.bad')`)
		}
		var mu sync.Mutex
		largest := 0
		in.Observer = &sqlinbox.Observer{Batch: func(puts, _ int, _ time.Duration, _ error) {
			mu.Lock()
			defer mu.Unlock()
			largest = max(largest, puts)
		}}
		const senders = 60
		errs := make([]error, senders)
		var all sync.WaitGroup
		for i := range senders {
			d := delivery(fmt.Sprint("key", i%7), fmt.Sprint("mark", i))
			if i%10 == 3 {
				d.Type = "alpha.bad"
			}
			all.Go(func() { errs[i] = in.Put(t.Context(), d) })
		}
		all.Wait()
		for i, err := range errs {
			if bad := i%10 == 3; bad != (err != nil) {
				t.Errorf("put %d: %v", i, err)
			}
		}
		if n := count(t, db, "hookhouse_deliveries"); n != senders*9/10 {
			t.Errorf("%d stored, want %d", n, senders*9/10)
		}
		if n := count(t, db, "hookhouse_dedup_keys"); n != senders*9/10 {
			t.Errorf("%d dedup keys, want %d", n, senders*9/10)
		}
		if largest < 2 {
			t.Errorf("the largest batch was %d: nothing was shared", largest)
		}
	})
}

func TestACancelledPutAnswersAndIsStoredWholeOrNot(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, db := e.open(t)
		put(t, in, delivery("")) // the writer is ready
		// Another holds the database, so that the batch cannot commit.
		conn, err := db.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		hold := "BEGIN IMMEDIATE"
		if e.dialect == sqlinbox.PostgreSQL {
			hold = "BEGIN; LOCK TABLE hookhouse_deliveries IN ACCESS EXCLUSIVE MODE"
		}
		if _, err := conn.ExecContext(t.Context(), hold); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		const senders = 10
		uids := make([]string, senders)
		errs := make(chan error, senders)
		for i := range senders {
			d := delivery("key", fmt.Sprint("mark", i))
			uids[i] = d.UID
			go func() { errs <- in.Put(ctx, d) }()
		}
		cancel()
		for range senders {
			if err := <-errs; !errors.Is(err, context.Canceled) {
				t.Errorf("Put returned %v, want context.Canceled", err)
			}
		}
		if _, err := conn.ExecContext(t.Context(), "ROLLBACK"); err != nil {
			t.Fatal(err)
		}
		put(t, in, delivery("")) // comes after whatever had been taken
		stored := 0
		for _, uid := range uids {
			switch r, err := in.Get(t.Context(), uid); {
			case errors.Is(err, webhook.ErrNotFound):
			case err != nil:
				t.Fatal(err)
			case r.Err != nil:
				t.Errorf("%s: %v", uid, r.Err)
			default:
				stored++
			}
		}
		for table, want := range map[string]int{"hookhouse_deliveries": 2 + stored, "hookhouse_bodies": 2 + stored, "hookhouse_dedup_keys": stored} {
			if n := count(t, db, table); n != want {
				t.Errorf("%s has %d rows, want %d", table, n, want)
			}
		}
	})
}

func TestAClosedInboxRefuses(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, _ := e.open(t)
		put(t, in, delivery(""))
		put(t, in, delivery(""))
		c := claimOne(t, in)
		ctx := t.Context()
		if err := in.Close(); err != nil {
			t.Fatal(err)
		}
		for what, f := range map[string]func() error{
			"Put":     func() error { return in.Put(ctx, delivery("")) },
			"Claim":   func() error { _, err := in.Claim(ctx, webhook.ClaimOptions{}); return err },
			"Begin":   func() error { _, err := in.Begin(ctx, c); return err },
			"Extend":  func() error { return in.Extend(ctx, c, time.Minute) },
			"Settle":  func() error { _, err := in.Settle(ctx, c, webhook.Outcome{State: webhook.Done}); return err },
			"Sweep":   func() error { _, err := in.Sweep(ctx); return err },
			"Release": func() error { return in.Release(ctx, c.Delivery.UID) },
			"Ping":    func() error { return in.Ping(ctx) },
		} {
			if err := f(); !errors.Is(err, sqlinbox.ErrClosed) {
				t.Errorf("%s returned %v, want ErrClosed", what, err)
			}
		}
		if _, err := in.Get(ctx, c.Delivery.UID); err != nil {
			t.Errorf("Get returned %v: reading needs no writer", err)
		}
	})
}

// On PostgreSQL most of a batch may be committed before the rest is looked at:
// what is stored is answered so, whatever happens to the rest.
func TestWhatIsStoredIsNoDuplicateOfItself(t *testing.T) {
	if theServer == nil {
		return // SQLite commits a batch as a whole
	}
	in, db := onPostgres(theServer).open(t)
	dead := put(t, in, delivery("held", "mark"))
	settle(t, in, claimOne(t, in), webhook.Dead)
	put(t, in, delivery("held"))
	tx := begin(t, db) // holds the key that the revival needs
	if err := in.SettleTx(t.Context(), tx, claimOne(t, in), webhook.Outcome{State: webhook.Done}); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	var revival error
	var others [20]error
	for i := range others {
		o := delivery(fmt.Sprint("key", i), fmt.Sprint("mark", i))
		all.Go(func() { others[i] = in.Put(t.Context(), o) })
		if i == 5 {
			again := delivery("held", "mark")
			all.Go(func() { revival = in.Put(t.Context(), again) })
		}
	}
	all.Wait()
	if err := errors.Join(others[:]...); err != nil {
		t.Errorf("another delivery: %v", err)
	}
	if revival == nil || errors.Is(revival, webhook.ErrDuplicate) {
		t.Errorf("the revival returned %v, want that the key is held", revival)
	}
	commit(t, tx)
	var known *webhook.DuplicateError
	if err := in.Put(t.Context(), delivery("held", "mark")); !errors.As(err, &known) || !known.Revived || known.UID != dead.UID {
		t.Errorf("the revival returned %v afterwards", err)
	}
}
