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

// lockKey returns an inbox on PostgreSQL and a transaction that has locked the
// ordering key "locked", as a callback does that does not return.
func lockKey(t *testing.T) (*sqlinbox.Inbox, *sql.DB, *sql.Tx) {
	t.Helper()
	in, db := onPostgres(t).open(t)
	put(t, in, delivery("locked"))
	tx := begin(t, db)
	must(t, in.SettleTx(t.Context(), tx, claimOne(t, in), webhook.Outcome{State: webhook.Done}))
	return in, db, tx
}

// On SQLite a transaction that writes blocks all others.
func TestALockedKeyDoesNotBlockOtherKeys(t *testing.T) {
	in, _, tx := lockKey(t)
	refused := make(chan error)
	for range 6 {
		d := delivery("locked")
		go func() { refused <- in.Put(t.Context(), d) }()
	}
	for waiting, others := 6, 0; waiting > 0; {
		select {
		case err := <-refused:
			if err == nil {
				t.Error("a Put under the locked key returned before the transaction ended")
			}
			if waiting--; waiting == 0 && others < 10 {
				t.Errorf("%d deliveries of other keys were stored meanwhile", others)
			}
		default:
			put(t, in, delivery(fmt.Sprint("key", others)))
			others++
		}
	}
	commit(t, tx)
	put(t, in, delivery("locked"))
}

func TestAPutWaitsForAKeyThatIsLockedBriefly(t *testing.T) {
	for _, senders := range []int{1, 6} {
		in, tx, plan := lockKeyWatched(t)
		tried := make(chan struct{}, 1000)
		plan.Watch(nil, func(what string) {
			if isInsert(what) {
				tried <- struct{}{}
			}
		})
		changed := in.Changed()
		var puts []*webhook.Delivery
		answers := make(chan error)
		for range senders {
			d := delivery("locked")
			puts = append(puts, d)
			go func() { answers <- in.Put(t.Context(), d) }()
		}
		for range 3 { // one of them is tried again
			<-tried
		}
		plan.Watch(nil, nil)
		select {
		case <-changed:
			t.Error("workers were woken although nothing was stored")
		default:
		}
		commit(t, tx)
		for range puts {
			if err := <-answers; err != nil {
				t.Errorf("Put returned %v after the transaction ended", err)
			}
		}
		<-changed
		for _, d := range puts {
			stateOf(t, in, d.UID)
		}
	}
}

// lockKeyWatched is lockKey with an inbox whose statements can be watched.
func lockKeyWatched(t *testing.T) (*sqlinbox.Inbox, *sql.Tx, *fault.Plan) {
	t.Helper()
	in, plan, other, db := openWatchedPair(t)
	tx := begin(t, db)
	must(t, other.PutTx(t.Context(), tx, delivery("locked")))
	return in, tx, plan
}

func TestCloseEndsTheWaitForALockedKey(t *testing.T) {
	in, _, plan := lockKeyWatched(t)
	tried := make(chan struct{}, 1000)
	plan.Watch(nil, func(what string) {
		if isInsert(what) {
			tried <- struct{}{}
		}
	})
	answer := make(chan error)
	go func() { answer <- in.Put(t.Context(), delivery("locked")) }()
	<-tried
	wantNil(t, in.Close())
	if err := <-answer; !errors.Is(err, sqlinbox.ErrClosed) {
		t.Errorf("Put returned %v, want ErrClosed", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	in, _, plan = lockKeyWatched(t)
	plan.Watch(nil, func(what string) {
		if isInsert(what) {
			cancel()
		}
	})
	if err := in.Put(ctx, delivery("locked")); !errors.Is(err, context.Canceled) {
		t.Errorf("Put returned %v, want context.Canceled", err)
	}
}

// A batch without ordering keys answers the Put whose dedup key is locked apart from
// the others.
func TestALockedDedupKeyDoesNotBlockOtherPuts(t *testing.T) {
	in, db := onPostgres(t).open(t)
	tx := begin(t, db)
	must(t, in.PutTx(t.Context(), tx, delivery("", "mark")))
	var all sync.WaitGroup
	var committed atomic.Int64
	in.Observer = &sqlinbox.Observer{Batch: func(puts, _ int, _ time.Duration, err error) {
		if err == nil {
			committed.Add(int64(puts))
		}
	}}
	var refused error
	waiting := delivery("", "mark")
	all.Go(func() { refused = in.Put(t.Context(), waiting) })
	const total = 50
	for range total {
		d := delivery("")
		all.Go(func() {
			wantNil(t, in.Put(t.Context(), d))
		})
	}
	all.Wait()
	if refused == nil || errors.Is(refused, webhook.ErrDuplicate) {
		t.Errorf("Put under a locked dedup key returned %v", refused)
	}
	if n := committed.Load(); n != total {
		t.Errorf("%d of %d others were committed in batches", n, total)
	}
	commit(t, tx)
	if err := in.Put(t.Context(), waiting); !errors.Is(err, webhook.ErrDuplicate) {
		t.Errorf("Put returned %v, want a duplicate", err)
	}
}

func TestTheObserverIsNotCalledForAPutThatWasRolledBack(t *testing.T) {
	in, db := onPostgres(t).open(t)
	burst := func(dedupKeys ...string) *webhook.Delivery {
		d := delivery("key", dedupKeys...)
		d.Coalesce.Quiet = time.Hour
		return d
	}
	older := put(t, in, burst())
	tx := begin(t, db)
	must(t, in.PutTx(t.Context(), tx, delivery("", "mark")))
	in.Observer = &sqlinbox.Observer{
		Stored: func(_ context.Context, d *webhook.Delivery, _ time.Duration) {
			t.Errorf("Stored was called for %s", d.UID)
		},
		Superseded: func(_ context.Context, uid string, _ *webhook.Delivery) {
			t.Errorf("Superseded was called for %s", uid)
		},
	}
	if err := in.Put(t.Context(), burst("mark")); err == nil {
		t.Error("a Put under a locked dedup key returned no error")
	}
	if s := stateOf(t, in, older.UID); s != webhook.Waiting {
		t.Errorf("the older one is %s, want waiting", s)
	}
	commit(t, tx)
}

func TestALargeBodyIsSentOnceWhileItsKeyIsLocked(t *testing.T) {
	in, tx, plan := lockKeyWatched(t)
	var sent, tries atomic.Int64
	enough := make(chan struct{})
	plan.Watch(nil, func(what string) {
		if isInsert(what) {
			sent.Add(1)
		}
		if strings.Contains(what, "pg_try_advisory_xact_lock") && tries.Add(1) == 10 {
			close(enough)
		}
	})
	d := delivery("locked")
	d.Body = make([]byte, 1<<20)
	answer := make(chan error)
	go func() { answer <- in.Put(t.Context(), d) }()
	<-enough
	if n := sent.Load(); n != 1 {
		t.Errorf("it was sent %d times while its key was locked, want once", n)
	}
	commit(t, tx)
	if err := <-answer; err != nil {
		t.Errorf("Put returned %v after the transaction ended", err)
	}
	if s := stateOf(t, in, d.UID); s != webhook.Blocked {
		t.Errorf("it is %s, want blocked", s)
	}
}

// The server has few locks. Beyond a number of keys in one transaction, only the
// unique index of heads keeps the order.
func TestATransactionOfManyKeysTakesFewLocksAndKeepsOrder(t *testing.T) {
	const keys = 300
	e := onPostgres(t)
	driver, dsn := e.store(t)
	in, db, plan := openWatched(t, e, driver, dsn)
	tx := begin(t, db)
	for i := range keys {
		must(t, in.PutTx(t.Context(), tx, delivery(fmt.Sprint("key", i))))
	}
	var locks int
	if err := tx.QueryRowContext(t.Context(), "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()").Scan(&locks); err != nil || locks > 256 {
		t.Errorf("%d locks, %v; want 256 at most", locks, err)
	}
	tried := make(chan struct{}, 1000)
	plan.Watch(nil, func(what string) {
		if isInsert(what) {
			tried <- struct{}{}
		}
	})
	answers := make(chan error, 2)
	var late []*webhook.Delivery
	for _, i := range []int{0, keys - 1} {
		d := delivery(fmt.Sprint("key", i))
		late = append(late, d)
		go func() { answers <- in.Put(t.Context(), d) }()
	}
	for range 4 {
		<-tried
	}
	plan.Watch(nil, nil)
	commit(t, tx)
	if err := errors.Join(<-answers, <-answers); err != nil {
		t.Errorf("Put returned %v after the transaction ended", err)
	}
	for _, d := range late {
		if s := stateOf(t, in, d.UID); s != webhook.Blocked {
			t.Errorf("the second of %s is %s, want blocked", d.OrderingKey, s)
		}
	}
}
