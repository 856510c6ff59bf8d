package dbtest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// claimAs claims one delivery, whose lease runs out at once if lease is 1.
func claimAs(t *testing.T, in webhook.Inbox, by string, lease time.Duration) webhook.Claim {
	t.Helper()
	var claims []webhook.Claim
	waitFor(t, "a delivery can be claimed", func() bool {
		var err error
		claims, err = in.Claim(t.Context(), webhook.ClaimOptions{N: 1, Lease: lease, By: by})
		must(t, err)
		return len(claims) == 1
	})
	return claims[0]
}

// attemptsAre demands these attempts, whatever their times, which must be possible.
func attemptsAre(t *testing.T, in *sqlinbox.Inbox, uid string, want ...webhook.Attempt) {
	t.Helper()
	r, err := in.Get(t.Context(), uid)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, r.Attempts, cmpopts.IgnoreFields(webhook.Attempt{}, "At", "Took"), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("attempts (-want +got):\n%s", diff)
	}
	for _, a := range r.Attempts {
		if since := time.Since(a.At); since < -time.Minute || since > time.Minute || a.Took < 0 || a.Took > time.Minute {
			t.Errorf("attempt %d began %v ago and took %v", a.Number, since, a.Took)
		}
	}
}

func TestFailedAndLostRunsAreKept(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, db := e.open(t)
		d := put(t, in, delivery("key", "mark"))
		outcome := func(c webhook.Claim, o webhook.Outcome) {
			t.Helper()
			if _, err := in.Settle(t.Context(), c, o); err != nil {
				t.Fatal(err)
			}
		}
		outcome(claimAs(t, in, "one", time.Hour), webhook.Outcome{State: webhook.Waiting, Reason: "refused"})
		claimAs(t, in, "two", 1)                                                                              // and is never heard of again
		outcome(claimAs(t, in, "three", time.Hour), webhook.Outcome{State: webhook.Waiting, Uncounted: true}) // is none
		outcome(claimAs(t, in, "four", time.Hour), webhook.Outcome{State: webhook.Dead, Reason: strings.Repeat("x", 5000)})
		first := []webhook.Attempt{
			{Number: 1, State: webhook.Waiting, Reason: "refused", By: "one"},
			{Number: 2, State: webhook.Waiting, Lost: true, By: "two"},
			{Number: 3, State: webhook.Dead, Reason: strings.Repeat("x", 4096), By: "four"},
		}
		attemptsAre(t, in, d.UID, first...)

		if _, err := in.Replay(t.Context(), webhook.Filter{UID: d.UID}, webhook.Note{By: "test"}); err != nil {
			t.Fatal(err)
		}
		attemptsAre(t, in, d.UID, first...)
		claimAs(t, in, strings.Repeat("n", 300), time.Hour)
		if err := in.Release(t.Context(), d.UID); err != nil {
			t.Fatal(err)
		}
		c := claimAs(t, in, "last", time.Hour)
		outcome(c, webhook.Outcome{State: webhook.Done})
		all := append(first, webhook.Attempt{Number: 1, State: webhook.Waiting, Lost: true, By: strings.Repeat("n", 255)})
		attemptsAre(t, in, d.UID, all...)

		in.Retention = 1
		if n, err := in.Sweep(t.Context()); n != 1 || err != nil {
			t.Fatalf("Sweep: %d, %v", n, err)
		}
		if n := count(t, db, "hookhouse_attempts"); n != 0 {
			t.Errorf("%d attempts of what was swept are left, want none", n)
		}
	})
}

func TestALostClaimOfABurstIsKeptAsSuperseded(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, _ := e.open(t)
		older, newer := delivery("key"), delivery("key")
		older.Coalesce.Quiet, newer.Coalesce.Quiet = 1, 1
		put(t, in, older)
		claimAs(t, in, "gone", 1)
		put(t, in, newer)
		outcome := webhook.Outcome{State: webhook.Waiting, Reason: "refused"}
		c := claimAs(t, in, "other", time.Hour)
		if c.Delivery.UID != newer.UID {
			t.Fatalf("claimed %s, want the newer one", c.Delivery.UID)
		}
		attemptsAre(t, in, older.UID, webhook.Attempt{Number: 1, State: webhook.Superseded, Lost: true, By: "gone"})
		newest := delivery("key")
		newest.Coalesce.Quiet = 1
		put(t, in, newest)
		if state, err := in.Settle(t.Context(), c, outcome); state != webhook.Superseded || err != nil {
			t.Fatalf("Settle: %s, %v", state, err)
		}
		attemptsAre(t, in, newer.UID, webhook.Attempt{Number: 1, State: webhook.Superseded, Reason: "refused", By: "other"})
	})
}

func TestTheNewestTwentyAttemptsAreKept(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, _ := e.open(t)
		d := put(t, in, delivery(""))
		var want []webhook.Attempt
		for n := 1; n <= 25; n++ {
			name := fmt.Sprint("worker", n)
			c := claimAs(t, in, name, time.Hour)
			if _, err := in.Settle(t.Context(), c, webhook.Outcome{State: webhook.Waiting, Reason: name}); err != nil {
				t.Fatal(err)
			}
			want = append(want, webhook.Attempt{Number: n, State: webhook.Waiting, Reason: name, By: name})
		}
		attemptsAre(t, in, d.UID, want[5:]...)
	})
}

// Another worker's claim must not be ended by one that is no longer held, nor leave
// a row that says so.
func TestASettlementOfALostClaimKeepsNoAttempt(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, db := e.open(t)
		d := put(t, in, delivery("key"))
		gone := claimAs(t, in, "gone", 1)
		claimAs(t, in, "other", time.Hour)
		for _, state := range []webhook.State{webhook.Waiting, webhook.Dead} {
			if _, err := in.Settle(t.Context(), gone, webhook.Outcome{State: state, Reason: "late"}); err == nil {
				t.Errorf("Settle as %s of a lost claim returned no error", state)
			}
		}
		attemptsAre(t, in, d.UID, webhook.Attempt{Number: 1, State: webhook.Waiting, Lost: true, By: "gone"})
		if n := count(t, db, "hookhouse_attempts"); n != 1 {
			t.Errorf("%d attempts, want the lost one", n)
		}
	})
}

// A run that fails costs one statement more than one that does not, and a success none.
func TestOneStatementKeepsAnAttempt(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		driver, dsn := e.store(t)
		in, _, plan := openWatched(t, e, driver, dsn)
		for _, o := range []webhook.Outcome{
			{State: webhook.Done}, {State: webhook.Ignored}, {State: webhook.Waiting, Uncounted: true},
			{State: webhook.Waiting}, {State: webhook.Dead},
		} {
			put(t, in, delivery("key"))
			c := claimOne(t, in)
			n := 0
			plan.Watch(func(what string) { n += strings.Count(what, "INTO hookhouse_attempts") }, nil)
			_, err := in.Settle(t.Context(), c, o)
			plan.Watch(nil, nil)
			must(t, err)
			want := 0
			if o.State == webhook.Dead || o.State == webhook.Waiting && !o.Uncounted {
				want = 1
			}
			if n != want {
				t.Errorf("%+v: %d statements insert an attempt, want %d", o, n, want)
			}
			if o.State == webhook.Waiting {
				settle(t, in, claimOne(t, in), webhook.Done)
			}
		}
	})
}

// On PostgreSQL a claim is committed by its statement. A second statement that failed
// would leave what was claimed to nobody until its lease runs out.
func TestAClaimKeepsTwentyLostRunsByItself(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		driver, dsn := e.store(t)
		in, _, plan := openWatched(t, e, driver, dsn)
		d := put(t, in, delivery(""))
		var want []webhook.Attempt
		var c webhook.Claim
		for n := 1; n <= 30; n++ {
			c = claimAs(t, in, "worker", 1)
			if c.Suspect {
				_, err := in.Begin(t.Context(), c)
				must(t, err)
			}
			want = append(want, webhook.Attempt{Number: n, State: webhook.Waiting, Lost: true, By: "worker"})
		}
		waitFor(t, "the last lease has run out", func() bool { return time.Now().After(c.Expires) })
		plan.Break(0, 0)
		claims, err := in.Claim(t.Context(), webhook.ClaimOptions{N: 1, Lease: time.Hour})
		if n := plan.Count(); e.Dialect == sqlinbox.PostgreSQL && n != 1 {
			t.Errorf("the claim took %d statements, want 1", n)
		}
		if len(claims) != 1 || err != nil {
			t.Fatalf("%d claims, %v", len(claims), err)
		}
		attemptsAre(t, in, d.UID, want[10:]...)
	})
}
