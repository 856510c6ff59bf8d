package dbtest

import (
	"database/sql"
	"fmt"
	"runtime"
	"testing"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// heldKey returns an inbox on PostgreSQL and a transaction that holds the Key
// "held" there, as a callback does that does not come to its end.
func heldKey(t *testing.T) (*sqlinbox.Inbox, *sql.DB, *sql.Tx) {
	t.Helper()
	in, db := onPostgres(theServer).open(t)
	put(t, in, delivery("held"))
	tx := begin(t, db)
	if err := in.SettleTx(t.Context(), tx, claimOne(t, in), webhook.Outcome{State: webhook.Done}); err != nil {
		t.Fatal(err)
	}
	return in, db, tx
}

// SQLite has one writer there: who holds it holds all.
func TestAKeyHeldForLongHoldsUpNoOther(t *testing.T) {
	if theServer == nil {
		return // and TestMain said so
	}
	in, _, tx := heldKey(t)
	refused := make(chan error)
	for range 6 {
		d := delivery("held")
		go func() { refused <- in.Put(t.Context(), d) }()
	}
	for held, others := 6, 0; held > 0; {
		select {
		case err := <-refused:
			if err == nil {
				t.Error("a Put under the held key returned before the transaction ended")
			}
			if held--; held == 0 && others < 50 {
				t.Errorf("%d deliveries of other keys were stored meanwhile", others)
			}
		default:
			put(t, in, delivery(fmt.Sprint("key", others)))
			others++
		}
	}
	commit(t, tx)
	put(t, in, delivery("held"))
}

func TestAPutWaitsForAKeyThatIsHeldBriefly(t *testing.T) {
	if theServer == nil {
		return // and TestMain said so
	}
	in, db, tx := heldKey(t)
	var puts []*webhook.Delivery
	answers := make(chan error)
	for range 6 {
		d := delivery("held")
		puts = append(puts, d)
		go func() { answers <- in.Put(t.Context(), d) }()
	}
	for waiting := 0; waiting == 0; runtime.Gosched() {
		err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'").Scan(&waiting)
		if err != nil {
			t.Fatal(err)
		}
	}
	commit(t, tx)
	for range puts {
		if err := <-answers; err != nil {
			t.Errorf("Put returned %v after the transaction ended", err)
		}
	}
	for _, d := range puts {
		stateOf(t, in, d.UID)
	}
}
