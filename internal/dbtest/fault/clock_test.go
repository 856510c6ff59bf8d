package fault_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/internal/dbtest/engine"
	"github.com/hookhouse/hookhouse/webhook"
)

// shiftClock changes the times in the tables as if the clock had jumped ahead by a
// duration, or back if that is negative.
func (r *rig) shiftClock(t *testing.T, by time.Duration) {
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
	if _, err := r.direct.Exec(text); err != nil {
		t.Fatal(err)
	}
}

func (r *rig) claim(t *testing.T, n int) []webhook.Claim {
	t.Helper()
	claims, err := r.inbox.Claim(t.Context(), webhook.ClaimOptions{N: n, Lease: time.Minute})
	must(t, err)
	return claims
}

const day = 24 * time.Hour

func TestAClockThatJumpsAheadEndsLeasesAndFencesOldClaims(t *testing.T) {
	onEach(t, func(t *testing.T, e engine.Engine) {
		r := openRig(t, e.NewStore(t))
		defer r.report(t)
		r.send(&message{name: "claimed", key: "key", dedupKeys: []string{"claimed"}})
		r.send(&message{name: "behind", key: "key", dedupKeys: []string{"behind"}})
		before := r.claim(t, 5)
		if len(before) != 1 {
			t.Fatalf("%d claims, want 1", len(before))
		}
		r.shiftClock(t, day)
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
		if !r.send(&message{name: "claimed", dedupKeys: []string{"claimed"}}) {
			t.Error("a day later the dedup key is not known")
		}
		r.drain()
		r.checkTables("after the jump")
	})
}

func TestALeaseThatAJumpEndedCanBeExtendedUntilAnotherClaims(t *testing.T) {
	onEach(t, func(t *testing.T, e engine.Engine) {
		r := openRig(t, e.NewStore(t))
		defer r.report(t)
		r.send(&message{name: "claimed", key: "key", dedupKeys: []string{"claimed"}})
		c := r.claim(t, 1)[0]
		r.shiftClock(t, day)
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

// A delivery that was stored while the clock was ahead waits until the clock gets
// there again, or until it is released. Deliveries of other keys do not wait.
func TestAClockThatJumpsBackDelaysByNoMoreThanTheJump(t *testing.T) {
	onEach(t, func(t *testing.T, e engine.Engine) {
		r := openRig(t, e.NewStore(t))
		defer r.report(t)
		stuck := &message{name: "stored tomorrow", key: "key", dedupKeys: []string{"tomorrow"}}
		released := &message{name: "stored tomorrow, released", dedupKeys: []string{"released"}}
		r.send(stuck)
		r.send(released)
		r.shiftClock(t, -day)
		younger := &message{name: "of the same key", key: "key", dedupKeys: []string{"younger"}}
		free := &message{name: "of no key", dedupKeys: []string{"free"}}
		r.send(younger)
		r.send(free)
		if !r.send(stuck) {
			t.Error("a dedup key of tomorrow is not known today")
		}
		claims := r.claim(t, 5)
		if len(claims) != 1 || claims[0].Delivery.UID != free.acknowledged[0] {
			t.Fatalf("claimed %v, want the one of no key alone", claims)
		}
		if _, err := r.inbox.Settle(t.Context(), claims[0], webhook.Outcome{State: webhook.Done}); err != nil {
			t.Error(err)
		}
		if err := r.inbox.Release(t.Context(), released.acknowledged[0]); err != nil {
			t.Errorf("Release returned %v", err)
		}
		claims = r.claim(t, 5)
		if len(claims) != 1 || claims[0].Delivery.UID != released.acknowledged[0] {
			t.Fatalf("claimed %v, want the one that was released", claims)
		}
		if _, err := r.inbox.Settle(t.Context(), claims[0], webhook.Outcome{State: webhook.Done}); err != nil {
			t.Error(err)
		}
		r.shiftClock(t, day) // the clock gets there
		r.drain()
		r.checkOrder(stuck, younger)
		r.checkTables("when the clock has got there")
		r.checkMessages(false)
	})
}

func TestALeaseAfterAJumpBackCanBeExtendedAndReleased(t *testing.T) {
	onEach(t, func(t *testing.T, e engine.Engine) {
		r := openRig(t, e.NewStore(t))
		defer r.report(t)
		r.send(&message{name: "claimed", dedupKeys: []string{"claimed"}})
		r.send(&message{name: "left", dedupKeys: []string{"left"}})
		claims := r.claim(t, 5)
		r.shiftClock(t, -day)
		if again := r.claim(t, 5); len(claims) != 2 || len(again) != 0 {
			t.Fatalf("%d claims, and %d again after the jump, want 2 and none", len(claims), len(again))
		}
		// A worker that lives extends its lease by today's clock.
		kept, left := claims[0], claims[1]
		if err := r.inbox.Extend(t.Context(), kept, time.Minute); err != nil {
			t.Errorf("Extend returned %v", err)
		}
		record, err := r.inbox.Get(t.Context(), kept.Delivery.UID)
		if err != nil || time.Until(record.Expires) > time.Hour {
			t.Errorf("the lease ends at %v, %v", record.Expires, err)
		}
		if _, err := r.inbox.Settle(t.Context(), kept, webhook.Outcome{State: webhook.Done}); err != nil {
			t.Errorf("Settle returned %v", err)
		}
		// The delivery of a lost worker can be claimed tomorrow, or once it is released.
		if err := r.inbox.Release(t.Context(), left.Delivery.UID); err != nil {
			t.Errorf("Release returned %v", err)
		}
		if again := r.claim(t, 5); len(again) != 1 {
			t.Errorf("%d claims after Release, want 1", len(again))
		}
		if _, err := r.inbox.Settle(t.Context(), left, webhook.Outcome{State: webhook.Done}); !errors.Is(err, webhook.ErrClaimLost) {
			t.Errorf("Settle by the lost worker returned %v, want ErrClaimLost", err)
		}
	})
}

// Dedup keys that were stored while the clock was far ahead must not keep others from
// being deleted.
func TestDedupKeysOfTheFutureDoNotProtectOthers(t *testing.T) {
	onEach(t, func(t *testing.T, e engine.Engine) {
		r := openRig(t, e.NewStore(t))
		defer r.report(t)
		for n := range 5 {
			r.send(&message{name: "ahead", dedupKeys: []string{fmt.Sprint("ahead", n)}})
		}
		r.shiftClock(t, -1000*day)
		for n := range 5 {
			r.send(&message{name: "right", dedupKeys: []string{fmt.Sprint("right", n)}})
		}
		r.shiftClock(t, 40*day) // beyond the window of what came last
		for range 10 {
			if _, err := r.inbox.Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if n := r.count("hookhouse_dedup_keys m JOIN hookhouse_deliveries d ON d.id = m.delivery_id WHERE d.id > 5"); n != 0 {
			t.Errorf("%d dedup keys beyond the window are kept, want none", n)
		}
	})
}
