package dbtest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

func TestSweepKeepsTheMarksAndTheirFate(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, db := e.open(t)
		for i := range 30 {
			put(t, in, delivery("", fmt.Sprint("mark", i)))
			settle(t, in, claimOne(t, in), webhook.Ignored)
		}
		kept := put(t, in, delivery(""))
		if n, err := in.Sweep(t.Context(), time.Now().Add(time.Hour), 20); n != 20 || err != nil {
			t.Fatalf("Sweep: %d, %v; want 20", n, err)
		}
		if n, err := in.Sweep(t.Context(), time.Now().Add(time.Hour), 20); n != 10 || err != nil {
			t.Fatalf("Sweep: %d, %v; want 10", n, err)
		}
		for _, table := range []string{"hookhouse_deliveries", "hookhouse_bodies"} {
			if n := count(t, db, table); n != 1 {
				t.Errorf("%s has %d rows, want 1", table, n)
			}
		}
		stateOf(t, in, kept.UID)
		var known *webhook.DuplicateError
		if err := in.Put(t.Context(), delivery("", "mark3")); !errors.As(err, &known) || known.State != webhook.Ignored {
			t.Errorf("Put returned %v, want a duplicate of one that is ignored", err)
		}
	})
}

// A delivery has several marks, and those of deliveries that are kept for ever
// are forgotten too.
func TestSweepForgetsAllMarksThatAreTooOld(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, db := e.open(t)
		for i := range 30 {
			put(t, in, delivery("", fmt.Sprint("one", i), fmt.Sprint("two", i), fmt.Sprint("three", i)))
			settle(t, in, claimOne(t, in), webhook.Done)
		}
		in.Window = time.Microsecond
		if n, err := in.Sweep(t.Context(), time.Time{}, 20); n != 0 || err != nil {
			t.Fatalf("Sweep: %d, %v; want none", n, err)
		}
		if n := count(t, db, "hookhouse_marks"); n != 0 {
			t.Errorf("%d marks are left", n)
		}
		if n := count(t, db, "hookhouse_deliveries"); n != 30 {
			t.Errorf("%d deliveries are left, want all", n)
		}
	})
}
