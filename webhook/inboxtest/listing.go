package inboxtest

import (
	"context"
	"net/http"

	"github.com/hookhouse/hookhouse/webhook"
)

// listing: what All returns, in which order, and Ping.
var listing = []law{
	{"deliveries are listed newest first", func(t *trial) {
		first, second, third := t.put("key"), t.put(""), t.put("key")
		t.requireList(webhook.Filter{}, third, second, first)
	}},
	{"Seq decreases in a list", func(t *trial) {
		for range 3 {
			t.put("key")
		}
		list := t.listAll(webhook.Filter{})
		for i, r := range list[1:] {
			if r.Seq >= list[i].Seq {
				t.Errorf("Seq %d comes after %d", r.Seq, list[i].Seq)
			}
		}
	}},
	{"a long list is complete", func(t *trial) {
		var all []*webhook.Delivery
		for range 250 {
			all = append([]*webhook.Delivery{t.put("")}, all...)
		}
		t.requireList(webhook.Filter{}, all...)
		t.requireList(webhook.Filter{Limit: 120}, all[:120]...)
		t.requireList(webhook.Filter{Limit: 120, Before: t.get(all[109]).Seq}, all[110:230]...)
	}},
	{"the inbox can be used while it is listed", func(t *trial) {
		for range 3 {
			t.put("")
		}
		ctx, cancel := context.WithTimeout(t.Context(), waitLimit)
		defer cancel()
		for r, err := range t.admin().All(ctx, webhook.Filter{Limit: 3}) {
			if err != nil {
				t.Fatalf("All: %v", err)
			}
			if _, err := t.admin().Get(ctx, r.Delivery.UID); err != nil {
				t.Errorf("Get: %v", err)
			}
			if err := t.in.Put(ctx, t.delivery("")); err != nil {
				t.Errorf("Put: %v", err)
			}
		}
	}},
	{"a list ends after its first error", func(t *trial) {
		t.put("")
		if errs, n := errorsOf(t.canceled(), t.admin(), webhook.Filter{}); len(errs) != 1 || n != 0 {
			t.Errorf("a context that had ended: %d records and errors %v, want one error", n, errs)
		}
	}},
	{"a list loads contents only if Bodies is set", func(t *trial) {
		d := t.delivery("", "dedup key")
		d.Header = http.Header{"X-Name": {"value"}}
		t.store(d)
		for _, bodies := range []bool{false, true} {
			for _, r := range t.listAll(webhook.Filter{Bodies: bodies}) {
				got := r.Delivery
				if (got.Header != nil) != bodies || (got.DedupKeys != nil) != bodies || (got.Body != nil) != bodies {
					t.Errorf("Bodies %t: header %v, dedup keys %v, body %q", bodies, got.Header, got.DedupKeys, got.Body)
				}
				if r.Size != int64(len(d.Body)) || r.Err != nil {
					t.Errorf("Bodies %t: size %d, %v", bodies, r.Size, r.Err)
				}
			}
		}
	}},
	{"a list has no replays and no attempts", func(t *trial) {
		d := t.finished("", webhook.Dead)
		t.replay(webhook.Filter{UID: d.UID}, 1)
		for _, r := range t.listAll(webhook.Filter{Bodies: true}) {
			if r.Replays != nil || r.Attempts != nil {
				t.Errorf("replays %v, attempts %v", r.Replays, r.Attempts)
			}
		}
	}},
	{"Ping succeeds while Put does", func(t *trial) {
		for range 2 {
			if err := t.admin().Ping(t.Context()); err != nil {
				t.Errorf("Ping: %v", err)
			}
			t.put("")
		}
		t.advance(short)
	}},
	{"Ping fails in a context that has ended", func(t *trial) {
		if err := t.admin().Ping(t.canceled()); err == nil {
			t.Errorf("Ping returned no error")
		}
	}},
}
