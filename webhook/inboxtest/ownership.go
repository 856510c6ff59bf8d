package inboxtest

import (
	"net/http"

	"github.com/hookhouse/hookhouse/webhook"
)

// ownership are the laws of what a caller may change after a call.
var ownership = []law{
	{"a change of Header or DedupKeys after Put does not change the stored delivery", func(t *trial) {
		d := t.delivery("", "mine")
		d.Header = http.Header{"X-Name": {"before"}}
		t.store(d)
		d.Header["X-Name"][0] = "after"
		d.Header.Set("X-New", "after")
		d.DedupKeys[0] = "other"
		got := t.claim().Delivery
		if got.Header.Get("X-Name") != "before" || len(got.Header) != 1 || len(got.DedupKeys) != 1 || got.DedupKeys[0] != "mine" {
			t.Errorf("a change after Put was stored: header %v, dedup keys %v", got.Header, got.DedupKeys)
		}
	}},
	{"a change of Header or DedupKeys of a claim does not change the stored delivery", func(t *trial) {
		d := t.delivery("", "mine")
		d.Header = http.Header{"X-Name": {"before"}}
		t.store(d)
		first := t.claim()
		first.Delivery.Header["X-Name"][0] = "after"
		first.Delivery.Header.Set("X-New", "after")
		first.Delivery.DedupKeys[0] = "other"
		t.settle(first, webhook.Outcome{State: webhook.Waiting})
		got := t.claim().Delivery
		if got.Header.Get("X-Name") != "before" || len(got.Header) != 1 || len(got.DedupKeys) != 1 || got.DedupKeys[0] != "mine" {
			t.Errorf("a change of an earlier claim was stored: header %v, dedup keys %v", got.Header, got.DedupKeys)
		}
	}},
}
