package inboxtest

import (
	"errors"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// A sweepLaw is a law of a [webhook.Sweeper] that has the given retention.
type sweepLaw struct {
	law
	retention, deadRetention time.Duration
}

// indefinitely is the retention of an inbox that deletes nothing.
const indefinitely time.Duration = -1

// sweepLaws are the laws of a Sweeper, in the order for reading.
var sweepLaws = []sweepLaw{
	{law{"a delivery that finished longer ago than Retention is deleted", func(t *trial) {
		t.finish(webhook.Done)
		t.finish(webhook.Ignored)
		superseded := t.store(t.burst("key", short, 0))
		t.end(t.claimOf(t.store(t.burst("key", short, 0))), webhook.Done)
		t.sweeps(4)
		if t.isStored(superseded) {
			t.Errorf("the superseded delivery was not deleted")
		}
	}}, short, long},
	{law{"a delivery that finished within Retention is kept", func(t *trial) {
		d := t.finish(webhook.Done)
		t.finish(webhook.Ignored)
		t.advance(2 * short)
		t.sweepsNothing()
		if !t.isStored(d) {
			t.Errorf("it was deleted")
		}
	}}, long, short},
	{law{"a dead delivery is kept until DeadRetention is over", func(t *trial) {
		dead := t.finish(webhook.Dead)
		t.finish(webhook.Done)
		t.sweeps(1)
		if !t.isStored(dead) {
			t.Errorf("the dead delivery was deleted")
		}
	}}, short, long},
	{law{"a dead delivery is deleted after DeadRetention", func(t *trial) {
		dead, done := t.finish(webhook.Dead), t.finish(webhook.Done)
		t.sweeps(1)
		if t.isStored(dead) {
			t.Errorf("the dead delivery was not deleted")
		}
		if !t.isStored(done) {
			t.Errorf("the done delivery was deleted")
		}
	}}, long, short},
	{law{"an unfinished delivery is never deleted", func(t *trial) {
		t.finish(webhook.Done)
		waiting, claimed := t.put("key"), t.put("")
		claims := t.claimNow(webhook.ClaimOptions{N: 2, Lease: long})
		if len(claims) != 2 {
			t.Fatalf("claimed %d of 2", len(claims))
		}
		t.release(claims[0])
		blocked := t.put("key")
		t.sweeps(1)
		for _, d := range []*webhook.Delivery{waiting, claimed, blocked} {
			if got := t.duplicate(d); got.State.Final() {
				t.Errorf("%s is %s", d.UID, got.State)
			}
		}
	}}, short, short},
	{law{"a negative retention keeps deliveries indefinitely", func(t *trial) {
		kept := []*webhook.Delivery{t.finish(webhook.Done), t.finish(webhook.Ignored), t.finish(webhook.Dead)}
		t.advance(2 * short)
		t.sweepsNothing()
		for _, d := range kept {
			if !t.isStored(d) {
				t.Errorf("%s was deleted", d.UID)
			}
		}
	}}, indefinitely, indefinitely},
	{law{"repeated Sweeps delete and count every expired delivery", func(t *trial) {
		const deliveries = 60
		for n := range deliveries {
			d := t.delivery("")
			if n%20 == 0 {
				d.Body = bodyOf(2 << 20)
			}
			t.store(d)
		}
		for n := 0; n < deliveries; {
			for _, c := range t.claimAll() {
				t.end(c, webhook.Done)
				n++
			}
		}
		t.sweeps(deliveries)
	}}, short, long},
	{law{"the retention of a revived delivery begins when it is finished again", func(t *trial) {
		d, _ := t.dead()
		t.advance(2 * short)
		t.duplicate(t.redelivery(d))
		t.end(t.claimOf(d), webhook.Done)
		t.advance(2 * short)
		t.sweepsNothing()
		if !t.isStored(d) {
			t.Errorf("it was deleted: its retention began when it was dead")
		}
	}}, long, short},
	{law{"dedup keys of a deleted delivery are still known", func(t *trial) {
		d := t.put("", "dedup key")
		t.end(t.claim(), webhook.Done)
		t.sweeps(1)
		if known := t.duplicate(t.delivery("", d.DedupKeys...)); known.State != webhook.Done {
			t.Errorf("duplicate of a delivery in state %s, want done", known.State)
		}
	}}, short, long},
	{law{"a redelivery of a deleted dead delivery is stored", func(t *trial) {
		d, _ := t.dead()
		t.sweeps(1)
		t.claimOf(t.store(t.redelivery(d)))
	}}, long, short},
	{law{"Sweep with a canceled context deletes nothing", func(t *trial) {
		d := t.finish(webhook.Done)
		t.advance(2 * short)
		if n, err := t.sweeper().Sweep(t.canceled()); err == nil || n != 0 {
			t.Errorf("Sweep returned %d, %v", n, err)
		}
		if !t.isStored(d) {
			t.Errorf("it was deleted")
		}
	}}, short, long},
}

// finish stores a delivery and ends it in state s.
func (t *trial) finish(s webhook.State) *webhook.Delivery {
	t.Helper()
	d := t.put("")
	t.end(t.claimOf(d), s)
	return d
}

// sweeper returns the inbox, which must be a Sweeper.
func (t *trial) sweeper() webhook.Sweeper {
	t.Helper()
	s, ok := t.in.(webhook.Sweeper)
	if !ok {
		t.Fatalf("%T is not a webhook.Sweeper", t.in)
	}
	return s
}

// sweeps calls Sweep until it has deleted want deliveries, and requires that it
// does not delete more.
func (t *trial) sweeps(want int) {
	t.Helper()
	total := 0
	sweep := func() int {
		n, err := t.sweeper().Sweep(t.Context())
		if err != nil {
			t.Fatalf("Sweep: %v", err)
		}
		total += n
		return n
	}
	t.waitUntil("all are deleted", func() bool {
		for sweep() > 0 {
		}
		return total >= want
	})
	t.advance(2 * short)
	sweep()
	if total != want {
		t.Errorf("Sweep deleted %d, want %d", total, want)
	}
}

// sweepsNothing requires that Sweep deletes nothing.
func (t *trial) sweepsNothing() {
	t.Helper()
	if n, err := t.sweeper().Sweep(t.Context()); err != nil || n != 0 {
		t.Errorf("Sweep returned %d, %v, want 0", n, err)
	}
}

// isStored reports whether d was not deleted. It puts a delivery with the UID of d,
// which is stored if d was deleted.
func (t *trial) isStored(d *webhook.Delivery) bool {
	t.Helper()
	again := t.delivery("")
	again.UID = d.UID
	err := t.in.Put(t.Context(), again)
	if err != nil && !errors.Is(err, webhook.ErrDuplicate) {
		t.Fatalf("Put: %v", err)
	}
	return err != nil
}
