package inboxtest

import (
	"errors"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// A sweepLaw is a promise of an inbox that is a [webhook.Sweeper] and keeps what
// is finished for the given times.
type sweepLaw struct {
	law
	retention, deadRetention time.Duration
}

const forever time.Duration = -1

// sweepLaws are all of them, in the order in which they are best read.
var sweepLaws = []sweepLaw{
	{law{"what finished longer ago than Retention goes", func(t *trial) {
		t.finish(webhook.Done)
		t.finish(webhook.Ignored)
		superseded := t.store(t.burst("key", short, 0))
		t.end(t.claimOf(t.store(t.burst("key", short, 0))), webhook.Done)
		t.sweeps(4)
		if t.kept(superseded) {
			t.Errorf("the superseded one is still there")
		}
	}}, short, long},
	{law{"what finished later than Retention stays", func(t *trial) {
		d := t.finish(webhook.Done)
		t.finish(webhook.Ignored)
		t.pass(2 * short)
		t.sweepsNothing()
		if !t.kept(d) {
			t.Errorf("it is gone")
		}
	}}, long, short},
	{law{"what is dead stays until DeadRetention", func(t *trial) {
		dead := t.finish(webhook.Dead)
		t.finish(webhook.Done)
		t.sweeps(1)
		if !t.kept(dead) {
			t.Errorf("the dead one is gone")
		}
	}}, short, long},
	{law{"what is dead goes after DeadRetention", func(t *trial) {
		dead, done := t.finish(webhook.Dead), t.finish(webhook.Done)
		t.sweeps(1)
		if t.kept(dead) {
			t.Errorf("the dead one is still there")
		}
		if !t.kept(done) {
			t.Errorf("the done one is gone")
		}
	}}, long, short},
	{law{"what is unfinished never goes", func(t *trial) {
		t.finish(webhook.Done)
		waiting, claimed := t.put("key"), t.put("")
		claims := t.now(webhook.ClaimOptions{N: 2, Lease: long})
		if len(claims) != 2 {
			t.Fatalf("claimed %d of 2", len(claims))
		}
		t.release(claims[0])
		behind := t.put("key")
		t.sweeps(1)
		for _, d := range []*webhook.Delivery{waiting, claimed, behind} {
			if got := t.duplicate(d); got.State.Final() {
				t.Errorf("%s is %s", d.UID, got.State)
			}
		}
	}}, short, short},
	{law{"a negative time keeps for ever", func(t *trial) {
		kept := []*webhook.Delivery{t.finish(webhook.Done), t.finish(webhook.Ignored), t.finish(webhook.Dead)}
		t.pass(2 * short)
		t.sweepsNothing()
		for _, d := range kept {
			if !t.kept(d) {
				t.Errorf("%s is gone", d.UID)
			}
		}
	}}, forever, forever},
	{law{"sweeping until nothing is left deletes all", func(t *trial) {
		const deliveries = 60
		for n := range deliveries {
			d := t.delivery("")
			if n%20 == 0 {
				d.Body = make([]byte, 2<<20)
			}
			t.store(d)
		}
		for n := 0; n < deliveries; {
			for _, c := range t.all() {
				t.end(c, webhook.Done)
				n++
			}
		}
		t.sweeps(deliveries)
	}}, short, long},
	{law{"what is revived and finished anew is kept from then on", func(t *trial) {
		d, _ := t.dead()
		t.pass(2 * short)
		t.duplicate(t.redelivery(d))
		t.end(t.claimOf(d), webhook.Done)
		t.pass(2 * short)
		t.sweepsNothing()
		if !t.kept(d) {
			t.Errorf("it is gone, by the time at which it died")
		}
	}}, long, short},
	{law{"what was swept is still a duplicate", func(t *trial) {
		d := t.put("", "mark")
		t.end(t.claim(), webhook.Done)
		t.sweeps(1)
		if known := t.duplicate(t.delivery("", d.DedupKeys...)); known.State != webhook.Done {
			t.Errorf("a duplicate of what is %s, want done", known.State)
		}
	}}, short, long},
	{law{"a redelivery of what died and was swept is stored", func(t *trial) {
		d, _ := t.dead()
		t.sweeps(1)
		t.claimOf(t.store(t.redelivery(d)))
	}}, long, short},
	{law{"a context that has ended sweeps nothing", func(t *trial) {
		d := t.finish(webhook.Done)
		t.pass(2 * short)
		if n, err := t.sweeper().Sweep(t.ended()); err == nil || n != 0 {
			t.Errorf("Sweep returned %d, %v", n, err)
		}
		if !t.kept(d) {
			t.Errorf("it is gone")
		}
	}}, short, long},
}

// finish stores a delivery and ends it.
func (t *trial) finish(s webhook.State) *webhook.Delivery {
	t.Helper()
	d := t.put("")
	t.end(t.claimOf(d), s)
	return d
}

func (t *trial) sweeper() webhook.Sweeper {
	t.Helper()
	s, ok := t.in.(webhook.Sweeper)
	if !ok {
		t.Fatalf("%T is no webhook.Sweeper", t.in)
	}
	return s
}

// sweeps waits until so many were deleted, and demands that it is not more.
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
	t.until("all are swept", func() bool {
		for sweep() > 0 {
		}
		return total >= want
	})
	t.pass(2 * short)
	sweep()
	if total != want {
		t.Errorf("swept %d, want %d", total, want)
	}
}

func (t *trial) sweepsNothing() {
	t.Helper()
	if n, err := t.sweeper().Sweep(t.Context()); err != nil || n != 0 {
		t.Errorf("swept %d, %v, want nothing", n, err)
	}
}

// kept reports whether d is still there, by a put of its UID. One that is gone is
// stored anew by that.
func (t *trial) kept(d *webhook.Delivery) bool {
	t.Helper()
	again := t.delivery("")
	again.UID = d.UID
	err := t.in.Put(t.Context(), again)
	if err != nil && !errors.Is(err, webhook.ErrDuplicate) {
		t.Fatalf("Put: %v", err)
	}
	return err != nil
}
