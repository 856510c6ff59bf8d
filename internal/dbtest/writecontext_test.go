package dbtest

import (
	"context"
	"database/sql"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// The context of the inner Write comes from both.
func TestAWriteInsideThatOfAnotherInboxIsInsideBoth(t *testing.T) {
	one, db := modernc.open(t)
	two, _ := modernc.open(t)
	run(t, db, "CREATE TABLE effects (uid TEXT)")
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	const advice = "database is locked by a transaction of InTx or Write that has not ended: inside it use PutTx"
	changed := one.Changed()
	start := time.Now()
	err := one.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		return two.Write(ctx, func(ctx context.Context, _ *sql.Tx) error {
			wantTexts(t, one.Put(ctx, delivery("")), advice)
			wantTexts(t, one.Write(ctx, insertEffect), advice)
			return one.PutTx(ctx, tx, delivery(""))
		})
	})
	if err != nil {
		t.Error(err)
	}
	if took := time.Since(start); took >= 5*time.Second {
		t.Errorf("Put waited for the transaction around it: %v", took)
	}
	select {
	case <-changed:
	default:
		t.Error("the outer Write stored a delivery and woke nobody")
	}
}

func TestTheContextOfAWriteMayBeUsedAfterIt(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, db := e.open(t)
		run(t, db, "CREATE TABLE effects (uid TEXT)")
		var kept context.Context
		if err := in.Write(t.Context(), func(ctx context.Context, tx *sql.Tx) error {
			kept = ctx
			return insertEffect(ctx, tx)
		}); err != nil {
			t.Fatal(err)
		}
		if err := in.Put(kept, delivery("")); err != nil {
			t.Errorf("Put returned %v", err)
		}
		if err := in.Write(kept, insertEffect); err != nil {
			t.Errorf("Write returned %v", err)
		}
	})
}

// What waits behind a claim can be claimed when that is settled.
func TestWhatAWriteSettlesWakesWorkers(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, _ := e.open(t)
		put(t, in, delivery("key"))
		next := put(t, in, delivery("key"))
		c := claimOne(t, in)
		changed := in.Changed()
		if err := in.Write(t.Context(), func(ctx context.Context, tx *sql.Tx) error {
			return in.SettleTx(ctx, tx, c, webhook.Outcome{State: webhook.Done})
		}); err != nil {
			t.Fatal(err)
		}
		select {
		case <-changed:
		default:
			t.Error("a Write that settled a claim woke nobody")
		}
		if got := claimOne(t, in); got.Delivery.UID != next.UID {
			t.Errorf("claimed %s, want the next of the key", got.Delivery.UID)
		}
	})
}
