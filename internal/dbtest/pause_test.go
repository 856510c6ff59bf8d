package dbtest

import (
	"strings"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

var ann = webhook.Note{By: "ann", Why: "the target is down"}

// A process that pauses ends, and another one starts.
func TestAPauseHoldsForAllProcessesAndOverRestarts(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		driver, dsn := e.store(t)
		operator, _ := e.reopen(t, driver, dsn)
		in, _ := e.reopen(t, driver, dsn)
		d := put(t, in, delivery(""))
		must(t, operator.Pause(t.Context(), d.Type, ann))
		must(t, operator.Close())
		later, _ := e.reopen(t, driver, dsn)
		for _, in := range []webhook.Inbox{in, later} {
			if claims := claim(t, in, 5); len(claims) > 0 {
				t.Errorf("%d were claimed while their type is paused", len(claims))
			}
		}
		must(t, later.Resume(t.Context(), d.Type, webhook.Note{By: "bob"}))
		if c := claimOne(t, in); c.Delivery.UID != d.UID {
			t.Errorf("claimed %s, want %s", c.Delivery.UID, d.UID)
		}
	})
}

// Two claims run, and a pause is committed between them, while the second is on its way
// to the server.
func TestAClaimAfterAPauseIsCommittedClaimsNothing(t *testing.T) {
	in, plan, operator, _ := openWatchedPair(t) // SQLite has one writer
	for range 2 {
		put(t, operator, delivery(""))
	}
	claimOne(t, in)
	reached := beforeNth(plan, 1, contains("hookhouse_pauses"), func() {
		wantNil(t, operator.Pause(t.Context(), "", ann))
	})
	if claims := claim(t, in, 5); len(claims) > 0 {
		t.Errorf("%d were claimed", len(claims))
	}
	if !reached() {
		t.Error("Claim ran no statement")
	}
}

// The claim has read the pauses and goes on after one is committed: it claims what it was
// about to claim, and nothing is lost.
func TestAPauseDuringAClaimLosesNothing(t *testing.T) {
	s := newPausedStore(t) // SQLite has one writer
	for n := 1; n < 12; n++ {
		d := put(t, s.other, delivery("key"))
		var claims []webhook.Claim
		reached, acted, came := s.during(t, n, func() (err error) {
			claims, err = s.paused.Claim(t.Context(), webhook.ClaimOptions{N: 5, Lease: time.Hour})
			return err
		}, func() error { return s.other.Pause(t.Context(), d.Type, ann) })
		if !reached {
			came = s.other.Pause(t.Context(), d.Type, ann)
		}
		if acted != nil || came != nil {
			t.Fatalf("at %d: Claim returned %v, Pause %v", n, acted, came)
		}
		if again := claim(t, s.other, 5); len(again) > 0 {
			t.Errorf("at %d: %d were claimed after the pause", n, len(again))
		}
		must(t, s.other.Resume(t.Context(), d.Type, ann))
		claims = append(claims, claim(t, s.other, 5)...)
		if len(claims) != 1 {
			t.Fatalf("at %d: %d claims, want one", n, len(claims))
		}
		settle(t, s.other, claims[0], webhook.Done)
		if !reached {
			return
		}
	}
}

// Of several that pause at once, all but one get an error.
func TestOnePauseOfSeveralAtOnceSucceeds(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, _ := e.open(t)
		answers := make(chan error, 4)
		for range cap(answers) {
			go func() { answers <- in.Pause(t.Context(), "alpha.push", ann) }()
		}
		done := 0
		for range cap(answers) {
			switch err := <-answers; {
			case err == nil:
				done++
			case !strings.Contains(err.Error(), `there is a pause of type "alpha.push" already`):
				t.Errorf("Pause returned %v", err)
			}
		}
		if done != 1 {
			t.Errorf("%d succeeded, want 1", done)
		}
	})
}

// The rate of a replay is stored, so another process keeps to it after a restart.
func TestTheRateOfAReplayIsStored(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		driver, dsn := e.store(t)
		operator, db := e.reopen(t, driver, dsn)
		const total = 100 // more than one batch
		for range total {
			put(t, operator, delivery(""))
		}
		for _, c := range claim(t, operator, total) {
			settle(t, operator, c, webhook.Dead)
		}
		n, err := operator.ReplayEvery(t.Context(), webhook.Filter{States: []webhook.State{webhook.Dead}}, ann, time.Minute)
		if n != total || err != nil {
			t.Fatalf("ReplayEvery returned %d, %v", n, err)
		}
		must(t, operator.Close())
		in, _ := e.reopen(t, driver, dsn)
		for range 2 {
			if claims := claim(t, in, total); len(claims) != 1 {
				t.Errorf("%d can be claimed, want 1", len(claims))
			}
			run(t, db, "UPDATE hookhouse_deliveries SET due_at = due_at - 61000000 WHERE state = 'waiting'")
		}
		if close := count(t, db, `hookhouse_deliveries a WHERE a.state = 'waiting' AND EXISTS (
			SELECT 1 FROM hookhouse_deliveries b WHERE b.state = 'waiting' AND b.id < a.id AND a.due_at - b.due_at < 60000000)`); close > 0 {
			t.Errorf("%d are due less than a minute after another", close)
		}
	})
}
