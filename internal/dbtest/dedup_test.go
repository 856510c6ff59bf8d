package dbtest

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

func TestFiftyAtOnceRunOnce(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		driver, dsn := e.store(t)
		a, db := e.reopen(t, driver, dsn)
		b, _ := e.reopen(t, driver, dsn)
		var all sync.WaitGroup
		errs := make([]error, 50)
		for i := range errs {
			d := delivery("key", "mac:same", fmt.Sprint("id:", i))
			all.Go(func() { errs[i] = []*sqlinbox.Inbox{a, b}[i%2].Put(t.Context(), d) })
		}
		all.Wait()
		stored := 0
		for _, err := range errs {
			if err == nil {
				stored++
			} else if !errors.Is(err, webhook.ErrDuplicate) {
				t.Error(err)
			}
		}
		if stored != 1 {
			t.Errorf("%d stored, want 1", stored)
		}
		if n := count(t, db, "hookhouse_dedup_keys"); n != 2 {
			t.Errorf("%d dedup keys, want 2", n)
		}
	})
}

func TestADedupKeyIsForgottenAfterTheWindow(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, db := e.open(t)
		d := put(t, in, delivery("", "mark"))
		run(t, db, fmt.Sprintf("UPDATE hookhouse_dedup_keys SET seen_at = seen_at - %d", 31*24*time.Hour/time.Microsecond))
		again := put(t, in, delivery("", "mark"))
		var known *webhook.DuplicateError
		if err := in.Put(t.Context(), delivery("", "mark")); !errors.As(err, &known) || known.UID != again.UID {
			t.Errorf("Put returned %v, want a duplicate of %s, not %s", err, again.UID, d.UID)
		}
		run(t, db, fmt.Sprintf("UPDATE hookhouse_dedup_keys SET seen_at = seen_at - %d", 31*24*time.Hour/time.Microsecond))
		if _, err := in.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := count(t, db, "hookhouse_dedup_keys"); n != 0 {
			t.Errorf("%d dedup keys after Sweep, want none", n)
		}
	})
}

func TestADuplicateDoesNotPassAHeadThatRetriesOutOfOrder(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, _ := e.open(t)
		head := put(t, in, delivery("key", "mark"))
		yield := webhook.Outcome{State: webhook.Waiting, Delay: time.Hour, RetryOutOfOrder: true}
		if _, err := in.Settle(t.Context(), claimOne(t, in), yield); err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		for i := range 40 {
			d := delivery("key", "mark")
			if i%2 == 0 {
				d = delivery(fmt.Sprint("key", i))
			}
			all.Go(func() {
				if err := in.Put(t.Context(), d); err != nil && !errors.Is(err, webhook.ErrDuplicate) {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if s := stateOf(t, in, head.UID); s != webhook.Waiting {
			t.Errorf("the head is %s, want waiting", s)
		}
		next := put(t, in, delivery("key"))
		if s := stateOf(t, in, next.UID); s != webhook.Waiting {
			t.Errorf("the next is %s, want waiting", s)
		}
		if s := stateOf(t, in, head.UID); s != webhook.Blocked {
			t.Errorf("the head is %s now, want behind", s)
		}
	})
}
