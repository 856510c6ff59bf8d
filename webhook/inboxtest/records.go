package inboxtest

import (
	"errors"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// records: what a Record says, and Get.
var records = []law{
	{"a record has what was put", func(t *trial) {
		d := t.delivery("key", "dedup key")
		d.ID, d.KeyLabel, d.Header = "id", "label", http.Header{"X-Name": {"one", "two"}}
		d.Coalesce = webhook.Coalesce{Quiet: long, Max: 2 * long}
		t.store(d)
		got := t.get(d).Delivery
		if got.UID != d.UID || got.Source != d.Source || got.ID != d.ID || got.Type != d.Type || got.OrderingKey != d.OrderingKey ||
			got.KeyLabel != d.KeyLabel || got.Coalesce != d.Coalesce || got.ReceivedAt.UnixMicro() != d.ReceivedAt.UnixMicro() {
			t.Errorf("put %+v, got %+v", d, got)
		}
	}},
	{"Get returns header, dedup keys and body", func(t *trial) {
		d := t.delivery("", "one", "two")
		d.Header = http.Header{"X-Name": {"one", "two"}}
		t.store(d)
		r := t.get(d)
		got := r.Delivery
		if !maps.EqualFunc(got.Header, d.Header, slices.Equal) || !slices.Equal(got.DedupKeys, d.DedupKeys) || string(got.Body) != string(d.Body) || r.Err != nil {
			t.Errorf("header %v, dedup keys %v, body %q, %v", got.Header, got.DedupKeys, got.Body, r.Err)
		}
		if r.Size != int64(len(d.Body)) {
			t.Errorf("size %d, want %d", r.Size, len(d.Body))
		}
	}},
	{"Get of an unknown UID is ErrNotFound", func(t *trial) {
		t.put("")
		for _, uid := range []string{"", "unknown"} {
			if _, err := t.admin().Get(t.Context(), uid); !errors.Is(err, webhook.ErrNotFound) {
				t.Errorf("Get of %q returned %v, want ErrNotFound", uid, err)
			}
		}
	}},
	{"a context that has ended gets nothing", func(t *trial) {
		d := t.put("")
		if _, err := t.admin().Get(t.canceled(), d.UID); err == nil || errors.Is(err, webhook.ErrNotFound) {
			t.Errorf("Get returned %v, want the context's error", err)
		}
	}},
	{"the header and dedup keys of a record belong to the caller", func(t *trial) {
		d := t.delivery("", "mine")
		d.Header = http.Header{"X-Name": {"before"}}
		t.store(d)
		first := t.get(d).Delivery
		first.Header["X-Name"][0], first.DedupKeys[0] = "after", "other"
		if got := t.get(d).Delivery; got.Header.Get("X-Name") != "before" || got.DedupKeys[0] != "mine" {
			t.Errorf("came back with what an earlier caller changed: %v, %v", got.Header, got.DedupKeys)
		}
	}},
	{"a record of a waiting delivery has the time at which it was due", func(t *trial) {
		begin := time.Now()
		r := t.get(t.put(""))
		if r.State != webhook.Waiting || r.Attempt != 0 || r.Fence != 0 || r.Reason != "" {
			t.Errorf("%s, attempt %d, fence %d, reason %q", r.State, r.Attempt, r.Fence, r.Reason)
		}
		if !near(r.Due, begin) || !r.Expires.IsZero() || !r.Ended.IsZero() {
			t.Errorf("due %v, expires %v, ended %v", r.Due, r.Expires, r.Ended)
		}
	}},
	{"a record of a claimed delivery has the fence and the end of the claim", func(t *trial) {
		d := t.put("")
		t.release(t.claimOf(d))
		c := t.claimOf(d)
		r := t.get(d)
		if r.State != webhook.Claimed || r.Attempt != 1 || r.Fence != c.Fence || r.Expires.UnixMicro() != c.Expires.UnixMicro() || !r.Ended.IsZero() {
			t.Errorf("%s, attempt %d, fence %d, expires %v, ended %v", r.State, r.Attempt, r.Fence, r.Expires, r.Ended)
		}
	}},
	{"a record of a retry has its due time and the reason", func(t *trial) {
		d := t.put("")
		begin := time.Now()
		t.settle(t.claimOf(d), webhook.Outcome{State: webhook.Waiting, Delay: long, Reason: "not yet"})
		r := t.get(d)
		if r.State != webhook.Waiting || r.Attempt != 1 || r.Reason != "not yet" || !near(r.Due, begin.Add(long)) || !r.Expires.IsZero() {
			t.Errorf("%s, attempt %d, reason %q, due %v, expires %v", r.State, r.Attempt, r.Reason, r.Due, r.Expires)
		}
	}},
	{"a record of a finished delivery has the time and the reason", func(t *trial) {
		begin := time.Now()
		for _, s := range []webhook.State{webhook.Done, webhook.Dead, webhook.Ignored} {
			d := t.finished("", s)
			r := t.get(d)
			if r.State != s || r.Attempt != 1 || !near(r.Ended, begin) || (r.Reason == "") != (s == webhook.Done) || !r.Expires.IsZero() {
				t.Errorf("%s, attempt %d, ended %v, reason %q, expires %v; want %s", r.State, r.Attempt, r.Ended, r.Reason, r.Expires, s)
			}
		}
	}},
	{"a record counts revivals", func(t *trial) {
		d, _ := t.dead()
		for want := range 2 {
			if r := t.get(d); r.Revived != want {
				t.Errorf("revived %d times, want %d", r.Revived, want)
			}
			t.duplicate(t.redelivery(d))
			t.end(t.claimOf(d), webhook.Dead)
		}
	}},
}

// near reports whether two clocks may have shown these times at one moment.
func near(a, b time.Time) bool { return a.Sub(b).Abs() < waitLimit }
