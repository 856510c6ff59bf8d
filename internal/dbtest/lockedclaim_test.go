package dbtest

import (
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// A worker has died, a newer delivery of the burst came, and a transaction of a
// caller has locked the key. Deliveries of other keys are still claimed.
func TestALockedKeyDoesNotBlockClaims(t *testing.T) {
	in, db := onPostgres(t).open(t) // SQLite has one writer: who holds it holds all
	burst := func() *webhook.Delivery {
		d := delivery("locked")
		d.Coalesce.Quiet = time.Microsecond
		return d
	}
	first := put(t, in, burst())
	waitFor(t, "it is due and claimed", func() bool {
		claims, err := in.Claim(t.Context(), webhook.ClaimOptions{N: 1, Lease: time.Microsecond})
		must(t, err)
		return len(claims) == 1
	})
	put(t, in, burst())
	other := put(t, in, delivery("other"))
	tx := begin(t, db)
	must(t, in.PutTx(t.Context(), tx, delivery("locked")))
	answer := make(chan []webhook.Claim, 1)
	go func() {
		claims, _ := in.Claim(t.Context(), webhook.ClaimOptions{N: 5, Lease: time.Hour})
		answer <- claims
	}()
	var claims []webhook.Claim
	waitFor(t, "the claim returns, or waits", func() bool {
		select {
		case claims = <-answer:
			return true
		default:
			return count(t, db, "pg_locks WHERE NOT granted") > 0
		}
	})
	if len(claims) != 1 || claims[0].Delivery.UID != other.UID {
		t.Errorf("%d claims beside the locked key, want that of the other", len(claims))
	}
	commit(t, tx)
	if claims == nil {
		<-answer
	}
	claim(t, in, 5)
	if s := stateOf(t, in, first.UID); s != webhook.Superseded {
		t.Errorf("after the key was unlocked the first is %s, want superseded", s)
	}
}
