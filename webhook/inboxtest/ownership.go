package inboxtest

import (
	"net/http"

	"github.com/hookhouse/hookhouse/webhook"
)

// ownership: who may change what afterwards.
var ownership = []law{
	{"Put keeps no reference to header and dedup keys", func(t *trial) {
		d := t.delivery("", "mine")
		d.Header = http.Header{"X-Name": {"before"}}
		t.store(d)
		d.Header["X-Name"][0] = "after"
		d.Header.Set("X-New", "after")
		d.DedupKeys[0] = "other"
		got := t.claim().Delivery
		if got.Header.Get("X-Name") != "before" || len(got.Header) != 1 || len(got.DedupKeys) != 1 || got.DedupKeys[0] != "mine" {
			t.Errorf("came back with what the caller changed after Put: header %v, dedup keys %v", got.Header, got.DedupKeys)
		}
	}},
	{"a claim's header and dedup keys belong to the claimer", func(t *trial) {
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
			t.Errorf("came back with what an earlier claimer changed: header %v, dedup keys %v", got.Header, got.DedupKeys)
		}
	}},
}
