package dbtest

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

func TestTwoInboxesOnOneDatabaseAgree(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		driver, dsn := e.store(t)
		a, db := e.reopen(t, driver, dsn)
		b, _ := e.reopen(t, driver, dsn)
		inboxes := []*sqlinbox.Inbox{a, b}
		// The same 40 deliveries through both, over few keys, each with a dedup key.
		var all sync.WaitGroup
		var mu sync.Mutex
		outcomes := map[string]int{}
		for i := range 80 {
			d := delivery(fmt.Sprint("key", i%5), fmt.Sprint("mark", i/2))
			all.Go(func() {
				err := inboxes[i%2].Put(t.Context(), d)
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					outcomes["stored"]++
				case errors.Is(err, webhook.ErrDuplicate):
					outcomes["duplicate"]++
				default:
					t.Error(err)
				}
			})
		}
		all.Wait()
		if diff := cmp.Diff(map[string]int{"stored": 40, "duplicate": 40}, outcomes); diff != "" {
			t.Error(diff)
		}
		// Settle them through both: in order, and never two of a key at once.
		handled := map[string]int64{}
		for total := 0; total < 40; {
			for _, in := range inboxes {
				for _, c := range claim(t, in, 3) {
					r, err := in.Get(t.Context(), c.Delivery.UID)
					must(t, err)
					if r.Seq <= handled[c.Delivery.OrderingKey] {
						t.Errorf("%s out of order", c.Delivery.UID)
					}
					handled[c.Delivery.OrderingKey] = r.Seq
					settle(t, inboxes[total%2], c, webhook.Done)
					total++
				}
			}
		}
		if n := count(t, db, "hookhouse_deliveries WHERE state = 'done'"); n != 40 {
			t.Errorf("%d done, want 40", n)
		}
	})
}

func TestAConcurrentBurstLeavesOneWaiting(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		driver, dsn := e.store(t)
		a, db := e.reopen(t, driver, dsn)
		b, _ := e.reopen(t, driver, dsn)
		var all sync.WaitGroup
		errs := make([]error, 40)
		for i := range errs {
			d := delivery("image:tag")
			d.Coalesce = webhook.Coalesce{Quiet: time.Hour}
			all.Go(func() { errs[i] = []*sqlinbox.Inbox{a, b}[i%2].Put(t.Context(), d) })
		}
		all.Wait()
		must(t, errors.Join(errs...))
		if n := count(t, db, "hookhouse_deliveries WHERE state = 'waiting'"); n != 1 {
			t.Errorf("%d waiting, want 1", n)
		}
		if n := count(t, db, "hookhouse_deliveries WHERE state = 'superseded'"); n != 39 {
			t.Errorf("%d superseded, want 39", n)
		}
	})
}

// A callback may change the delivery of its claim.
func TestACallbackThatChangesTheKeyLeavesNoKeyStuck(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, _ := e.open(t)
		for i, o := range []webhook.Outcome{{State: webhook.Done}, {State: webhook.Dead}, {State: webhook.Waiting, Delay: time.Hour, RetryOutOfOrder: true}} {
			for _, changed := range []string{"", "other"} {
				key := fmt.Sprint("key", i, changed)
				put(t, in, delivery(key))
				next := put(t, in, delivery(key))
				c := claimOne(t, in)
				c.Delivery.OrderingKey = changed
				if _, err := in.Settle(t.Context(), c, o); err != nil {
					t.Fatal(err)
				}
				if s := stateOf(t, in, next.UID); s != webhook.Waiting {
					t.Errorf("%s, the key changed to %q: the next is %s, want waiting", o.State, changed, s)
				}
				settle(t, in, claimOne(t, in), webhook.Done)
			}
		}
	})
}
