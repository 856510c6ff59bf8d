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
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// watched returns an inbox on a store whose statements can be watched, on
// connections of its own as in another process.
func watched(t *testing.T, e engine, driver, dsn string) (*sqlinbox.Inbox, *sql.DB, *fault.Plan) {
	t.Helper()
	db, plan, err := fault.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	in := sqlinbox.New(db, e.dialect)
	if err := in.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = in.Close() })
	return in, db, plan
}

// beforeNth calls f before the n-th operation of plan that is such a one, and
// returns a func that tells whether there was one.
func beforeNth(plan *fault.Plan, n int, is func(what string) bool, f func()) (reached func() bool) {
	var mu sync.Mutex
	seen := 0
	plan.Watch(func(what string) {
		mu.Lock()
		defer mu.Unlock()
		if is(what) {
			if seen++; seen == n {
				f()
			}
		}
	}, nil)
	return func() bool {
		plan.Watch(nil, nil)
		mu.Lock()
		defer mu.Unlock()
		return seen >= n
	}
}

func contains(parts ...string) func(string) bool {
	return func(what string) bool {
		for _, part := range parts {
			if !strings.Contains(what, part) {
				return false
			}
		}
		return true
	}
}

var (
	isInsert = contains("INTO hookhouse_deliveries")
	isFind   = contains("coalesce(origin, id), state, source, key", "FOR UPDATE")
)

// settledOrTried waits until a Put has returned, or its statement has been tried
// twice: it waits for something then.
func settledOrTried(t *testing.T, plan *fault.Plan, put func() error) (result chan error, returned bool) {
	t.Helper()
	tried := make(chan struct{}, 100)
	plan.Watch(nil, func(what string) {
		if isInsert(what) {
			select {
			case tried <- struct{}{}:
			default:
			}
		}
	})
	defer plan.Watch(nil, nil)
	result = make(chan error, 1)
	go func() { result <- put() }()
	for n := 0; n < 2; {
		select {
		case <-tried:
			n++
		case err := <-result:
			result <- err
			return result, true
		}
	}
	return result, false
}

// workOff claims and settles until nothing is claimed, and reports how many are
// left unfinished: nobody will ever claim them.
func workOff(t *testing.T, in *sqlinbox.Inbox) int {
	t.Helper()
	for {
		claims := claim(t, in, 10)
		for _, c := range claims {
			settle(t, in, c, webhook.Done)
		}
		if len(claims) == 0 {
			n, err := in.Pending(t.Context(), 10)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
}

// Another delivery of the Key comes before one of the statements that restart a
// delivery, by a Put or from a process that takes no lock, and runs and is finished
// before a later one, for each two of them.
func TestAKeyHasAHeadWhateverComesWhileOneIsRestarted(t *testing.T) {
	if theServer == nil {
		return // SQLite lets nobody in between
	}
	e := onPostgres(theServer)
	replay := func(ctx context.Context, in *sqlinbox.Inbox, d *webhook.Delivery) error {
		_, err := in.Replay(ctx, sqlinbox.Filter{UID: d.UID}, sqlinbox.Note{By: "ann"})
		return err
	}
	for _, way := range []struct {
		name    string
		quiet   time.Duration
		restart func(ctx context.Context, in *sqlinbox.Inbox, d *webhook.Delivery) error
	}{
		{"by a replay", 0, replay},
		{"by a replay of one that coalesces", time.Microsecond, replay},
		{"by a redelivery", 0, func(ctx context.Context, in *sqlinbox.Inbox, d *webhook.Delivery) error {
			err := in.Put(ctx, delivery(d.Key, d.Unique...))
			if known := new(webhook.DuplicateError); errors.As(err, &known) && known.Revived {
				return nil
			}
			return err
		}},
	} {
		for _, locks := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, the other locks: %t", way.name, locks), func(t *testing.T) {
				driver, dsn := e.store(t)
				in, _, plan := watched(t, e, driver, dsn)
				other, db, others := watched(t, e, driver, dsn)
				comes, finishes := 1, 1
				for {
					key := fmt.Sprintf("key %d %d", comes, finishes)
					d := delivery(key, "mark of "+key)
					d.Coalesce.Quiet = way.quiet
					put(t, other, d)
					bury(t, other)
					var came chan error
					seen := 0
					plan.Watch(func(string) {
						seen++
						if seen == comes {
							came, _ = settledOrTried(t, others, func() error {
								if !locks {
									return putWithoutLock(t, db, delivery(key))
								}
								return other.Put(t.Context(), delivery(key))
							})
						}
						if seen == finishes {
							for _, c := range claim(t, other, 1) {
								settle(t, other, c, webhook.Done)
							}
						}
					}, nil)
					err := way.restart(t.Context(), in, d)
					plan.Watch(nil, nil)
					if err != nil && !errors.Is(err, sqlinbox.ErrState) {
						t.Errorf("%s: restarting returned %v", key, err)
					}
					if came != nil {
						if err := <-came; err != nil && locks {
							t.Errorf("%s: the other returned %v", key, err)
						}
					}
					if left := workOff(t, in); left > 0 {
						t.Fatalf("%s: %d are stuck", key, left)
					}
					switch finishes++; {
					case seen < comes:
						if comes < 4 {
							t.Errorf("restarted with %d statements", seen)
						}
						return
					case seen < finishes:
						comes++
						finishes = comes
					}
				}
			})
		}
	}
}

// bury claims what can be claimed, one that coalesces soon, and settles it as dead.
func bury(t *testing.T, in *sqlinbox.Inbox) {
	t.Helper()
	waitFor(t, "it can be claimed", func() bool {
		claims := claim(t, in, 1)
		for _, c := range claims {
			settle(t, in, c, webhook.Dead)
		}
		return len(claims) == 1
	})
}

// putWithoutLock stores d as the head of its key, unless there is one. It does
// not wait.
func putWithoutLock(t *testing.T, db *sql.DB, d *webhook.Delivery) error {
	t.Helper()
	tx := begin(t, db)
	_, err := tx.ExecContext(t.Context(), "SET LOCAL lock_timeout = '20ms'")
	if err == nil {
		_, err = tx.ExecContext(t.Context(), `WITH d AS (
			INSERT INTO hookhouse_deliveries (uid, source, sender_id, type, key, label, state, received, due, quiet, most, burst, size)
			VALUES ($1, 'alpha', '', 'alpha.push', $2, '', 'waiting', 1, 1, 0, 0, 1, 0) RETURNING id)
			INSERT INTO hookhouse_bodies (id, envelope, body) SELECT id, '{}', '' FROM d`, d.UID, d.Key)
	}
	if err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

// sweepNow is what Sweep does, to all that is finished.
func sweepNow(t *testing.T, db *sql.DB) {
	t.Helper()
	run(t, db, `UPDATE hookhouse_marks m SET state = d.state, sender_id = d.sender_id FROM hookhouse_deliveries d WHERE d.uid = m.uid AND d.ended IS NOT NULL`)
	run(t, db, `DELETE FROM hookhouse_bodies WHERE id IN (SELECT id FROM hookhouse_deliveries WHERE ended IS NOT NULL)`)
	run(t, db, `DELETE FROM hookhouse_deliveries WHERE ended IS NOT NULL`)
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
				if n, err := other.Replay(t.Context(), sqlinbox.Filter{UID: first.UID}, sqlinbox.Note{By: "ann"}); n != 1 || err != nil {
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

// Another writer stores the mark when room has been made for the delivery: that
// must be undone, or the key has no head, or an older one of its burst is lost.
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
			{"a head that lets younger ones pass", 0, "UPDATE hookhouse_deliveries SET state = 'behind'"},
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
					o := webhook.Outcome{State: webhook.Waiting, Delay: time.Hour, Yield: true}
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
				if _, err := in.Get(t.Context(), d.UID); !errors.Is(err, sqlinbox.ErrNotFound) {
					t.Errorf("the duplicate: %v, want that it is not there", err)
				}
			})
		}
	}
}

func TestReplayTriesAgainWhatAnotherTransactionHolds(t *testing.T) {
	if theServer == nil {
		return // SQLite has one writer
	}
	e := onPostgres(theServer)
	driver, dsn := e.store(t)
	in, _, plan := watched(t, e, driver, dsn)
	other, db := e.reopen(t, driver, dsn)
	for _, quiet := range []time.Duration{0, time.Microsecond} {
		t.Run(fmt.Sprintf("that coalesces: %t", quiet > 0), func(t *testing.T) {
			d := delivery(fmt.Sprint("key", quiet))
			d.Coalesce.Quiet = quiet
			put(t, other, d)
			bury(t, other)
			tx := begin(t, db)
			young := delivery(d.Key)
			if err := other.PutTx(t.Context(), tx, young); err != nil {
				t.Fatal(err)
			}
			f, note := sqlinbox.Filter{UID: d.UID}, sqlinbox.Note{By: "ann"}
			if n, err := in.Replay(t.Context(), f, note); n != 0 || err == nil || !strings.Contains(err.Error(), "holds the key") {
				t.Errorf("Replay of a held key: %d, %v", n, err)
			}
			if s := stateOf(t, in, d.UID); s != webhook.Dead {
				t.Errorf("it is %s, want dead", s)
			}
			var once sync.Once
			plan.Watch(nil, func(what string) {
				if strings.Contains(what, "pg_try_advisory_xact_lock") {
					once.Do(func() {
						if err := tx.Rollback(); err != nil {
							t.Error(err)
						}
					})
				}
			})
			defer plan.Watch(nil, nil)
			if n, err := in.Replay(t.Context(), f, note); n != 1 || err != nil {
				t.Errorf("Replay of a key that is held at first: %d, %v", n, err)
			}
			if left := workOff(t, in); left > 0 {
				t.Errorf("%d are stuck", left)
			}
		})
	}
}

// The other commits when the replay waits for it, or has tried a second time: what
// it refuses then is a conflict, and no reason to give up.
func TestReplayOutlivesAHeadThatComesMeanwhile(t *testing.T) {
	if theServer == nil {
		return // SQLite has one writer
	}
	e := onPostgres(theServer)
	driver, dsn := e.store(t)
	in, _, plan := watched(t, e, driver, dsn)
	other, db := e.reopen(t, driver, dsn)
	for _, quiet := range []time.Duration{0, time.Microsecond} {
		d := delivery(fmt.Sprint("key", quiet))
		d.Coalesce.Quiet = quiet
		put(t, other, d)
		bury(t, other)
		tx := begin(t, db)
		young := delivery(d.Key)
		young.Type = "alpha.young"
		if err := other.PutTx(t.Context(), tx, young); err != nil {
			t.Fatal(err)
		}
		var operations atomic.Int64
		plan.Watch(func(string) { operations.Add(1) }, nil)
		answer := make(chan error, 1)
		go func() {
			n, err := in.Replay(t.Context(), sqlinbox.Filter{UID: d.UID}, sqlinbox.Note{By: "ann"})
			if err == nil && n != 1 {
				err = fmt.Errorf("%d replayed", n)
			}
			answer <- err
		}()
		waitFor(t, "the replay waits", func() bool {
			return operations.Load() > 40 || count(t, db, "pg_locks WHERE NOT granted") > 0
		})
		commit(t, tx)
		// A younger one that is unfinished is not overtaken by one that coalesces.
		if err := <-answer; err != nil && (quiet == 0 || !errors.Is(err, sqlinbox.ErrState)) {
			t.Errorf("Replay returned %v", err)
		}
		plan.Watch(nil, nil)
		if left := workOff(t, in); left > 0 {
			t.Errorf("%d are stuck", left)
		}
	}
}
