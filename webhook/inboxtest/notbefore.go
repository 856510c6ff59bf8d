package inboxtest

import (
	"math"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// notBefore are the laws of NotBefore. They hold if the clock of the inbox agrees with
// that of the test, to a few milliseconds.
var notBefore = []law{
	{"a delivery is not claimed before NotBefore", func(t *trial) {
		t.store(t.delayed("", long))
		t.requireNoClaim("its NotBefore is ahead")
	}},
	{"a delivery is claimed after NotBefore", func(t *trial) {
		d := t.store(t.delayed("", 2*short))
		t.claimOf(d)
		// The inbox may store times in milliseconds.
		if early := time.Until(d.NotBefore); early > time.Millisecond {
			t.Errorf("claimed %v before NotBefore", early)
		}
	}},
	{"a NotBefore that has passed does not delay a delivery", func(t *trial) {
		d := t.delivery("")
		d.NotBefore = time.Unix(1, 0)
		t.store(d)
		if got := t.claimAll(); len(got) != 1 {
			t.Errorf("claimed %v, want %s", uids(got), d.UID)
		}
	}},
	{"an ordering key waits for the NotBefore of its oldest delivery", func(t *trial) {
		first := t.store(t.delayed("key", 4*short))
		second := t.put("key")
		t.requireNoClaim("the NotBefore of the first is ahead")
		t.end(t.claimOf(first), webhook.Done)
		t.claimOf(second)
	}},
	{"a blocked delivery is not claimed before NotBefore once it is the oldest", func(t *trial) {
		t.put("key")
		t.store(t.delayed("key", long))
		t.end(t.claim(), webhook.Done)
		t.requireNoClaim("its NotBefore is ahead")
	}},
	{"a coalescing delivery is not claimed before NotBefore", func(t *trial) {
		d := t.delayed("key", long)
		d.Coalesce.Quiet = short
		t.store(d)
		t.advance(2 * short)
		t.requireNoClaim("its NotBefore is ahead")
	}},
	{"a coalescing delivery is not claimed after NotBefore while Quiet is not over", func(t *trial) {
		d := t.delayed("key", short)
		d.Coalesce.Quiet = long
		t.store(d)
		t.advance(2 * short)
		t.requireNoClaim("its Quiet is not over")
	}},
	{"a delivery with NotBefore is superseded by a newer one of its burst", func(t *trial) {
		d := t.burst("key", 2*short, short)
		d.NotBefore = time.Now().Add(2 * short)
		t.store(d)
		t.end(t.claimOf(t.store(t.burst("key", short, 0))), webhook.Done)
		t.advance(3 * short)
		t.requireNoClaim("the newer one superseded it")
	}},
	{"Put refuses a NotBefore that no inbox can store", func(t *trial) {
		for _, at := range []time.Time{time.Unix(0, -1), time.UnixMicro(math.MaxInt64).Add(time.Microsecond)} {
			d := t.delivery("")
			d.NotBefore = at
			if err := t.in.Put(t.Context(), d); err == nil || webhook.IsDuplicate(err) {
				t.Errorf("Put with NotBefore %v returned %v, want an error", at, err)
			}
			d.NotBefore = time.Time{}
			t.claimOf(t.store(d))
		}
	}},
}

// adminNotBefore are the laws of an Admin about NotBefore.
var adminNotBefore = []law{
	{"a released delivery does not wait for NotBefore", func(t *trial) {
		d := t.store(t.delayed("key", long))
		t.releaseNow(d)
		t.claimOf(d)
	}},
	{"a replayed delivery does not wait for NotBefore", func(t *trial) {
		d := t.store(t.delayed("", long))
		t.releaseNow(d)
		t.end(t.claimOf(d), webhook.Dead)
		t.replay(webhook.Filter{UID: d.UID}, 1)
		t.claimOf(d)
	}},
	{"a record of a delivery with NotBefore has that as the time at which it is due", func(t *trial) {
		d := t.store(t.delayed("", long))
		if r := t.get(d); !near(r.Due, d.NotBefore) || r.State != webhook.Waiting {
			t.Errorf("%s, due %v, want waiting until %v", r.State, r.Due, d.NotBefore)
		}
	}},
	{"Get returns NotBefore and Malformed", func(t *trial) {
		d := t.delayed("", long)
		d.Malformed = "no \"ref\" in \u00e4 <b>"
		t.store(d)
		got := t.get(d).Delivery
		if got.NotBefore.Sub(d.NotBefore).Abs() > time.Microsecond || got.Malformed != d.Malformed {
			t.Errorf("NotBefore %v, Malformed %q; want %v, %q", got.NotBefore, got.Malformed, d.NotBefore, d.Malformed)
		}
	}},
}

// delayed returns a new delivery that is not claimed before a time from now. It does
// not store it.
func (t *trial) delayed(key string, wait time.Duration) *webhook.Delivery {
	d := t.delivery(key)
	d.NotBefore = time.Now().Add(wait)
	return d
}
