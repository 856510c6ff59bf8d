package dbtest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

func TestSweepKeepsTheDedupKeysAndTheirFate(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, db := e.open(t)
		for i := range 30 {
			put(t, in, delivery("", fmt.Sprint("mark", i)))
			settle(t, in, claimOne(t, in), webhook.Ignored)
		}
		kept := put(t, in, delivery(""))
		in.Retention = time.Microsecond
		for _, want := range []int{30, 0} {
			if n, err := in.Sweep(t.Context()); n != want || err != nil {
				t.Fatalf("Sweep: %d, %v; want %d", n, err, want)
			}
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

// A delivery has several dedup keys, and those of deliveries that are kept for
// ever are forgotten too.
func TestSweepForgetsAllDedupKeysThatAreTooOld(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, db := e.open(t)
		for i := range 30 {
			put(t, in, delivery("", fmt.Sprint("one", i), fmt.Sprint("two", i), fmt.Sprint("three", i)))
			settle(t, in, claimOne(t, in), webhook.Done)
		}
		in.Window = time.Microsecond
		in.Retention = -1
		if n, err := in.Sweep(t.Context()); n != 0 || err != nil {
			t.Fatalf("Sweep: %d, %v; want none", n, err)
		}
		if n := count(t, db, "hookhouse_dedup_keys"); n != 0 {
			t.Errorf("%d dedup keys are left", n)
		}
		if n := count(t, db, "hookhouse_deliveries"); n != 30 {
			t.Errorf("%d deliveries are left, want all", n)
		}
	})
}

// What died and was swept is tried again when its sender sends it again, and
// only then: its dedup keys are those of others, too.
func TestARedeliveryOfWhatWasSweptTakesNoDedupKeyOfAnother(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, _ := e.open(t)
		sent := func(id string, marks ...string) *webhook.Delivery {
			d := delivery("", marks...)
			d.ID = id
			return d
		}
		put(t, in, sent("one", "id:one", "signature"))
		settle(t, in, claimOne(t, in), webhook.Dead)
		in.DeadRetention = time.Microsecond
		if n, err := in.Sweep(t.Context()); n != 1 || err != nil {
			t.Fatalf("Sweep: %d, %v; want 1", n, err)
		}
		live := put(t, in, sent("two", "live"))
		for name, test := range map[string]struct {
			d    *webhook.Delivery
			want webhook.State
		}{
			"by another":                           {sent("three", "signature"), webhook.Dead},
			"with a dedup key of one that is live": {sent("one", "id:one", "live"), webhook.Waiting},
			"with it first":                        {sent("one", "live", "id:one"), webhook.Waiting},
			"by another, with the id of the first": {sent("three", "id:one"), webhook.Dead},
			"one that is live, by its own sender":  {sent("two", "live"), webhook.Waiting},
		} {
			var known *webhook.DuplicateError
			if err := in.Put(t.Context(), test.d); !errors.As(err, &known) || known.State != test.want || known.Revived {
				t.Errorf("%s: Put returned %v, want a duplicate of what is %s", name, err, test.want)
			}
		}
		again := put(t, in, sent("one", "id:one", "signature"))
		for mark, want := range map[string]string{"id:one": again.UID, "signature": again.UID, "live": live.UID} {
			var known *webhook.DuplicateError
			if err := in.Put(t.Context(), sent("four", mark)); !errors.As(err, &known) || known.UID != want {
				t.Errorf("%s: Put returned %v, want a duplicate of %s", mark, err, want)
			}
		}
	})
}
