package dbtest

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// runWorker runs a Worker until it has settled n times, and returns the states.
func runWorker(t *testing.T, in webhook.Inbox, n int, handle func(ctx context.Context, d *webhook.Delivery) error) []webhook.State {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var mu sync.Mutex
	var states []webhook.State
	w := webhook.NewWorker(in, webhook.HandlerFunc(handle))
	w.Retry = webhook.Backoff{First: time.Millisecond}
	w.Observer = &webhook.Observer{
		Settled: func(_ context.Context, _ webhook.Claim, o webhook.Outcome, _ time.Duration) {
			mu.Lock()
			defer mu.Unlock()
			if states = append(states, o.State); len(states) == n {
				cancel()
			}
		},
		Lost: func(_ context.Context, c webhook.Claim) { t.Errorf("the claim of %s was lost", c.Delivery.UID) },
	}
	wantNil(t, w.Run(ctx))
	return states
}

func TestInTxCommitsAllOrNothing(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, db := e.open(t)
		run(t, db, "CREATE TABLE effects (uid TEXT)")
		d := put(t, in, delivery("key"))
		follower := delivery("another")
		follower.Type = "alpha.followed"
		tries := 0
		effect := func(ctx context.Context) error {
			tries++
			return in.InTx(ctx, func(tx *sql.Tx) error {
				var n int
				if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM effects").Scan(&n); err != nil || n != 0 {
					t.Errorf("it sees %d effects, %v", n, err)
				}
				if _, err := tx.ExecContext(ctx, "INSERT INTO effects VALUES ('"+d.UID+"')"); err != nil {
					return err
				}
				if err := in.PutTx(ctx, tx, follower); err != nil {
					return err
				}
				if tries == 1 {
					return errors.New("not now")
				}
				return nil
			})
		}
		states := runWorker(t, in, 3, func(ctx context.Context, got *webhook.Delivery) error {
			if got.UID == d.UID {
				return effect(ctx)
			}
			return nil
		})
		// The Observer may hear of the first run after the second, which begins at once.
		if slices.Sort(states); !slices.Equal(states, []webhook.State{webhook.Done, webhook.Done, webhook.Waiting}) {
			t.Errorf("settled as %v, want one retry, and both done", states)
		}
		for _, uid := range []string{d.UID, follower.UID} {
			if s := stateOf(t, in, uid); s != webhook.Done {
				t.Errorf("%s is %s, want done", uid, s)
			}
		}
		if n := count(t, db, "effects"); n != 1 {
			t.Errorf("%d effects, want 1", n)
		}
	})
}

// A delivery that a callback puts may be stored already, by an earlier run. Then the
// rest of the transaction is committed; after another error, everything is rolled
// back and the delivery is not done.
func TestInTxCommitsIfItsOnlyErrorsAreDuplicates(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, db := e.open(t)
		run(t, db, "CREATE TABLE effects (uid TEXT)")
		cause := put(t, in, delivery("key"))
		follower := delivery("another")
		follower.Type = "alpha.followed"
		tries := 0
		effect := func(ctx context.Context) error {
			tries++
			return in.InTx(ctx, func(tx *sql.Tx) error {
				if _, err := tx.ExecContext(ctx, "INSERT INTO effects VALUES ('x')"); err != nil {
					return err
				}
				once := in.PutTx(ctx, tx, follower)
				if once != nil {
					t.Errorf("the first PutTx returned %v", once)
				}
				again := in.PutTx(ctx, tx, follower)
				if tries == 1 {
					return errors.Join(again, errors.New("and a failure"))
				}
				return errors.Join(again, fmt.Errorf("follow: %w", again))
			})
		}
		runWorker(t, in, 3, func(ctx context.Context, d *webhook.Delivery) error {
			if d.UID != cause.UID {
				return nil
			}
			return effect(ctx)
		})
		if n := count(t, db, "effects"); n != 1 || tries != 2 {
			t.Errorf("%d effects of %d runs, want one, of the second", n, tries)
		}
		for _, d := range []*webhook.Delivery{cause, follower} {
			if s := stateOf(t, in, d.UID); s != webhook.Done {
				t.Errorf("%s is %s, want done", d.UID, s)
			}
		}
	})
}

// The pool has no free connection while InTx waits.
func TestInTxDoesNotBlockWritersWhileItWaitsForAConnection(t *testing.T) {
	in, db := modernc.open(t)
	db.SetMaxOpenConns(2)
	put(t, in, delivery("key"))
	reader, err := db.Conn(t.Context())
	must(t, err)
	entered := make(chan struct{})
	var once sync.Once
	done := make(chan struct{})
	go func() {
		defer close(done)
		runWorker(t, in, 1, func(ctx context.Context, _ *webhook.Delivery) error {
			once.Do(func() { close(entered) })
			return in.InTx(ctx, func(*sql.Tx) error { return nil })
		})
	}()
	<-entered
	waitFor(t, "InTx waits for the reader", func() bool { return db.Stats().WaitCount > 0 })
	put(t, in, delivery("another"))
	wantNil(t, reader.Close())
	<-done
}

func TestInTxRollsBackWhenTheClaimIsLost(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		driver, dsn := e.store(t)
		in, db := e.reopen(t, driver, dsn)
		other := sqlinbox.New(db, e.Dialect)
		run(t, db, "CREATE TABLE effects (uid TEXT)")
		d := put(t, in, delivery("key"))
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		w := webhook.NewWorker(in, webhook.HandlerFunc(func(ctx context.Context, d *webhook.Delivery) error {
			defer cancel()
			wantNil(t, other.Release(ctx, d.UID))
			err := in.InTx(ctx, func(tx *sql.Tx) error {
				_, err := tx.ExecContext(ctx, "INSERT INTO effects VALUES ('late')")
				return err
			})
			if !errors.Is(err, webhook.ErrClaimLost) {
				t.Errorf("InTx returned %v, want ErrClaimLost", err)
			}
			return err
		}))
		wantNil(t, w.Run(ctx))
		if n := count(t, db, "effects"); n != 0 {
			t.Errorf("%d effects of a lost claim", n)
		}
		if s := stateOf(t, in, d.UID); s == webhook.Done {
			t.Errorf("it is %s", s)
		}
		wantNil(t, other.Close())
	})
}

func TestInTxNeedsAClaim(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, _ := e.open(t)
		err := in.InTx(t.Context(), func(*sql.Tx) error {
			t.Error("work ran")
			return nil
		})
		if !errors.Is(err, webhook.ErrClaimLost) {
			t.Errorf("InTx returned %v", err)
		}
	})
}

// On SQLite a transaction that has read cannot write after another has written,
// unless it began as a writer.
func TestInTxMayReadFirstWhileOthersWrite(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, db := e.open(t)
		run(t, db, "CREATE TABLE counts (n INTEGER)")
		run(t, db, "INSERT INTO counts VALUES (0)")
		const total = 40
		for range total {
			put(t, in, delivery("one key")) // one at a time: the count is read and written
		}
		var putting sync.WaitGroup
		ctx, stop := context.WithCancel(t.Context())
		putting.Go(func() {
			for ctx.Err() == nil {
				d := delivery("")
				d.Type = "beta.push"
				if err := in.Put(ctx, d); err != nil && ctx.Err() == nil {
					t.Error(err)
				}
			}
		})
		var mux webhook.Mux
		mux.Route("alpha.push", webhook.HandlerFunc(func(ctx context.Context, _ *webhook.Delivery) error {
			return in.InTx(ctx, func(tx *sql.Tx) error {
				var n int
				if err := tx.QueryRowContext(ctx, "SELECT n FROM counts").Scan(&n); err != nil {
					return err
				}
				if n+1 == total {
					stop()
				}
				_, err := tx.ExecContext(ctx, "UPDATE counts SET n = n + 1")
				return err
			})
		}))
		w := webhook.NewWorker(in, &mux)
		w.Observer = &webhook.Observer{Settled: func(_ context.Context, c webhook.Claim, o webhook.Outcome, _ time.Duration) {
			if o.State != webhook.Done {
				t.Errorf("settled as %s: %s", o.State, o.Reason)
			}
		}}
		wantNil(t, w.Run(ctx))
		putting.Wait()
		var n int
		if err := db.QueryRow("SELECT n FROM counts").Scan(&n); err != nil || n != total {
			t.Errorf("counted %d, %v, want %d", n, err, total)
		}
	})
}

// A Worker settles any ErrDuplicate as done, so the callback's rows must be committed.
func TestInTxCommitsOnAnyErrDuplicate(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, db := e.open(t)
		run(t, db, "CREATE TABLE effects (uid TEXT)")
		put(t, in, delivery("key"))
		runWorker(t, in, 1, func(ctx context.Context, d *webhook.Delivery) error {
			return in.InTx(ctx, func(tx *sql.Tx) error {
				_, err := tx.ExecContext(ctx, "INSERT INTO effects VALUES ('x')")
				return cmp.Or(err, fmt.Errorf("known by a table of my own: %w", webhook.ErrDuplicate))
			})
		})
		if n := count(t, db, "effects"); n != 1 {
			t.Errorf("%d effects of a delivery that is done, want 1", n)
		}
	})
}
