package dbtest

import (
	"fmt"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// putBurst stores a delivery that coalesces for a microsecond.
func putBurst(t *testing.T, in *sqlinbox.Inbox, key string) *webhook.Delivery {
	t.Helper()
	d := delivery(key)
	d.Coalesce = webhook.Coalesce{Quiet: time.Microsecond}
	return put(t, in, d)
}

// A claim whose lease has ended is superseded by the next Claim once a newer
// delivery of its burst waits, and the same call can claim that one.
func TestClaimSupersedesExpiredClaimsOfABurst(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, db := e.open(t)
		older := putBurst(t, in, "key")
		waitFor(t, "the burst is over", func() bool { return len(claim(t, in, 1)) == 1 })
		newer := putBurst(t, in, "key")
		expireLeases(t, db)
		claims := claim(t, in, 2)
		if len(claims) != 1 || claims[0].Delivery.UID != newer.UID || claims[0].Attempt != 1 {
			t.Errorf("claimed %+v", claims)
		}
		if r, err := in.Get(t.Context(), older.UID); err != nil || r.State != webhook.Superseded || r.Attempt != 1 {
			t.Errorf("the older one is %+v, %v", r, err)
		}
	})
}

// Another transaction locks the key of a superseded delivery after Claim has read it.
// Claim does not wait for that transaction.
func TestClaimDoesNotWaitForALockedKeyToSupersede(t *testing.T) {
	in, plan, other, db := openWatchedPair(t) // SQLite has one writer
	putBurst(t, other, "key")
	waitFor(t, "the burst is over", func() bool { return len(claim(t, other, 1)) == 1 })
	putBurst(t, other, "key")
	expireLeases(t, db)
	free := put(t, other, delivery("free"))
	tx := begin(t, db)
	reached := beforeNth(plan, 1, contains("state = 'superseded'", "SKIP LOCKED"), func() {
		wantNil(t, other.PutTx(t.Context(), tx, delivery("key")))
	})
	claims := claim(t, in, 5)
	if len(claims) != 1 || claims[0].Delivery.UID != free.UID {
		t.Errorf("claimed %+v", claims)
	}
	if !reached() {
		t.Error("Claim superseded nothing")
	}
}

// The next call supersedes the rest.
func TestClaimSupersedesAtMostAHundred(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, db := e.open(t)
		const keys = 250
		for i := range keys {
			putBurst(t, in, fmt.Sprint("key", i))
		}
		claimed := 0
		waitFor(t, "all are due and claimed", func() bool {
			claimed += len(claim(t, in, keys))
			return claimed == keys
		})
		for i := range keys {
			d := delivery(fmt.Sprint("key", i))
			d.Coalesce = webhook.Coalesce{Quiet: time.Hour}
			put(t, in, d)
		}
		expireLeases(t, db)
		free := put(t, in, delivery("free"))
		claims := claim(t, in, 2)
		if len(claims) != 1 || claims[0].Delivery.UID != free.UID {
			t.Errorf("claimed %+v", claims)
		}
		for _, want := range []int{100, 200, 250, 250} {
			if n := count(t, db, "hookhouse_deliveries WHERE state = 'superseded'"); n != want {
				t.Errorf("%d are superseded, want %d", n, want)
			}
			claim(t, in, 2)
		}
	})
}
