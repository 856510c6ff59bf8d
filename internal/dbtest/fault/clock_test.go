package fault_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// jump makes the tables look as if the clock had jumped ahead by so much, or
// back where it is negative: they were written before.
func (r *rig) jump(t *testing.T, by time.Duration) {
	t.Helper()
	for _, column := range []string{"deliveries.received_at", "deliveries.due_at", "deliveries.burst_started_at", "deliveries.finished_at", "deliveries.claimed_at",
		"dedup_keys.seen_at", "replays.replayed_at", "attempts.started_at"} {
		table, column, _ := strings.Cut(column, ".")
		r.exec(t, fmt.Sprintf("UPDATE hookhouse_%s SET %s = %s - (%d)", table, column, column, by.Microseconds()))
	}
	r.exec(t, fmt.Sprintf("UPDATE hookhouse_deliveries SET lease_expires_at = lease_expires_at - (%d) WHERE lease_expires_at > 0", by.Microseconds()))
}

func (r *rig) exec(t *testing.T, text string) {
	t.Helper()
	if _, err := r.eye.Exec(text); err != nil {
		t.Fatal(err)
	}
}

func (r *rig) claim(t *testing.T, n int) []webhook.Claim {
	t.Helper()
	claims, err := r.inbox.Claim(t.Context(), webhook.ClaimOptions{N: n, Lease: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	return claims
}

func clockRig(t *testing.T, e engine) *rig {
	t.Helper()
	r, err := newRig(t, e)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if len(r.wrong) > 0 {
			t.Error(strings.Join(r.wrong, "\n"))
		}
		if err := r.close(); err != nil {
			t.Error(err)
		}
	})
	if err := r.inbox.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return r
}

const day = 24 * time.Hour

func TestAClockThatJumpsAheadEndsLeasesAndRunsNothingTwiceForGood(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		r := clockRig(t, e)
		r.send(&message{name: "claimed", key: "key", marks: []string{"claimed"}})
		r.send(&message{name: "behind", key: "key", marks: []string{"behind"}})
		before := r.claim(t, 5)
		if len(before) != 1 {
			t.Fatalf("%d claims, want 1", len(before))
		}
		r.jump(t, day)
		after := r.claim(t, 5)
		if len(after) != 1 || after[0].Delivery.UID != before[0].Delivery.UID || after[0].Fence <= before[0].Fence {
			t.Fatalf("claimed %v after the jump, want the one whose lease is over", after)
		}
		_, settled := r.inbox.Settle(t.Context(), before[0], webhook.Outcome{State: webhook.Dead})
		for name, err := range map[string]error{
			"Settle": settled,
			"Extend": r.inbox.Extend(t.Context(), before[0], time.Hour),
		} {
			if !errors.Is(err, webhook.ErrClaimLost) {
				t.Errorf("%s by the first owner returned %v, want ErrClaimLost", name, err)
			}
		}
		if _, err := r.inbox.Settle(t.Context(), after[0], webhook.Outcome{State: webhook.Done}); err != nil {
			t.Error(err)
		}
		if !r.send(&message{name: "claimed", marks: []string{"claimed"}}) {
			t.Error("a day later the dedup key is not known")
		}
		r.workOff()
		r.inspect("after the jump")
	})
}

func TestALeaseThatEndedByAJumpIsStillItsOwnersUntilAnotherClaims(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		r := clockRig(t, e)
		r.send(&message{name: "claimed", key: "key", marks: []string{"claimed"}})
		c := r.claim(t, 1)[0]
		r.jump(t, day)
		if err := r.inbox.Extend(t.Context(), c, time.Hour); err != nil {
			t.Errorf("Extend returned %v", err)
		}
		if again := r.claim(t, 1); len(again) != 0 {
			t.Errorf("claimed again under a lease that was extended: %v", again)
		}
		if _, err := r.inbox.Settle(t.Context(), c, webhook.Outcome{State: webhook.Done}); err != nil {
			t.Errorf("Settle returned %v", err)
		}
	})
}

// What was stored while the clock was ahead waits until the clock gets there
// again, or a person releases it; longer it does not, and what comes after it
// under another key does not wait at all.
func TestAClockThatJumpsBackDelaysByTheJumpAtMost(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		r := clockRig(t, e)
		stuck := &message{name: "stored tomorrow", key: "key", marks: []string{"tomorrow"}}
		released := &message{name: "stored tomorrow, released", marks: []string{"released"}}
		r.send(stuck)
		r.send(released)
		r.jump(t, -day)
		younger := &message{name: "of the same key", key: "key", marks: []string{"younger"}}
		free := &message{name: "of no key", marks: []string{"free"}}
		r.send(younger)
		r.send(free)
		if !r.send(stuck) {
			t.Error("a dedup key of tomorrow is not known today")
		}
		claims := r.claim(t, 5)
		if len(claims) != 1 || claims[0].Delivery.UID != free.known[0] {
			t.Fatalf("claimed %v, want the one of no key alone", claims)
		}
		if _, err := r.inbox.Settle(t.Context(), claims[0], webhook.Outcome{State: webhook.Done}); err != nil {
			t.Error(err)
		}
		if err := r.inbox.Release(t.Context(), released.known[0]); err != nil {
			t.Errorf("Release returned %v", err)
		}
		claims = r.claim(t, 5)
		if len(claims) != 1 || claims[0].Delivery.UID != released.known[0] {
			t.Fatalf("claimed %v, want the one that was released", claims)
		}
		if _, err := r.inbox.Settle(t.Context(), claims[0], webhook.Outcome{State: webhook.Done}); err != nil {
			t.Error(err)
		}
		r.jump(t, day) // the clock gets there
		r.workOff()
		r.inOrder(stuck, younger)
		r.inspect("when the clock has got there")
		r.settleAccounts(false)
	})
}

func TestALeaseOfTomorrowIsHeldByItsOwnerAndEndedByRelease(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		r := clockRig(t, e)
		r.send(&message{name: "claimed", marks: []string{"claimed"}})
		r.send(&message{name: "left", marks: []string{"left"}})
		claims := r.claim(t, 5)
		r.jump(t, -day)
		if again := r.claim(t, 5); len(claims) != 2 || len(again) != 0 {
			t.Fatalf("%d claims, and %d again after the jump, want 2 and none", len(claims), len(again))
		}
		// The one whose worker lives goes by today's clock from its next heartbeat on.
		held, left := claims[0], claims[1]
		if err := r.inbox.Extend(t.Context(), held, time.Minute); err != nil {
			t.Errorf("Extend returned %v", err)
		}
		record, err := r.inbox.Get(t.Context(), held.Delivery.UID)
		if err != nil || time.Until(record.Expires) > time.Hour {
			t.Errorf("the lease ends at %v, %v", record.Expires, err)
		}
		if _, err := r.inbox.Settle(t.Context(), held, webhook.Outcome{State: webhook.Done}); err != nil {
			t.Errorf("Settle returned %v", err)
		}
		// The one whose worker is gone is free tomorrow, or at once.
		if err := r.inbox.Release(t.Context(), left.Delivery.UID); err != nil {
			t.Errorf("Release returned %v", err)
		}
		if again := r.claim(t, 5); len(again) != 1 {
			t.Errorf("%d claims after Release, want 1", len(again))
		}
		if _, err := r.inbox.Settle(t.Context(), left, webhook.Outcome{State: webhook.Done}); !errors.Is(err, webhook.ErrClaimLost) {
			t.Errorf("Settle by the worker that was gone returned %v, want ErrClaimLost", err)
		}
	})
}

// Dedup keys of a clock that ran ahead by more than the window do not keep those
// of the right time from being forgotten.
func TestDedupKeysOfTheFutureDoNotKeepOthers(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		r := clockRig(t, e)
		for n := range 5 {
			r.send(&message{name: "ahead", marks: []string{fmt.Sprint("ahead", n)}})
		}
		r.jump(t, -1000*day)
		for n := range 5 {
			r.send(&message{name: "right", marks: []string{fmt.Sprint("right", n)}})
		}
		r.jump(t, 40*day) // beyond the window of what came last
		for range 10 {
			if _, err := r.inbox.Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if n := r.count("hookhouse_dedup_keys WHERE dedup_key LIKE 'right%'"); n != 0 {
			t.Errorf("%d dedup keys beyond the window are kept, want none", n)
		}
	})
}
