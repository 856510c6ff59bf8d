package inboxtest

import (
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// A stock is the deliveries that the laws of filters choose from.
type stock struct {
	dead    *webhook.Delivery // with a reason
	ignored *webhook.Delivery
	other   *webhook.Delivery // of another source, type and sender ID
	later   *webhook.Delivery // received an hour later
}

// deadReason has characters with a meaning in patterns, and one beyond ASCII.
const deadReason = "Connection refused: 100% of_them, Überlast"

func (t *trial) stock() (s stock) {
	t.Helper()
	s.dead = t.put("key")
	t.settle(t.claimOf(s.dead), webhook.Outcome{State: webhook.Dead, Reason: deadReason})
	s.ignored = t.put("")
	t.settle(t.claimOf(s.ignored), webhook.Outcome{State: webhook.Ignored, Reason: "not ours"})
	s.other = t.delivery("other key")
	s.other.Source, s.other.Type, s.other.ID = "beta", "beta.ping", "the sender's"
	t.store(s.other)
	s.later = t.delivery("")
	s.later.ReceivedAt = s.later.ReceivedAt.Add(time.Hour)
	t.store(s.later)
	return s
}

// selects is the law that a Filter selects these deliveries.
func selects(name string, choose func(s stock) (webhook.Filter, []*webhook.Delivery)) law {
	return law{name, func(t *trial) {
		f, want := choose(t.stock())
		t.requireList(f, want...)
	}}
}

// these returns deliveries, newest first.
func these(list ...*webhook.Delivery) []*webhook.Delivery { return list }

// filtering: what each field of a Filter selects.
var filtering = []law{
	selects("a Filter by UID selects one", func(s stock) (webhook.Filter, []*webhook.Delivery) {
		return webhook.Filter{UID: s.other.UID}, these(s.other)
	}),
	selects("a Filter by Source selects those of the source", func(s stock) (webhook.Filter, []*webhook.Delivery) {
		return webhook.Filter{Source: someSource}, these(s.later, s.ignored, s.dead)
	}),
	selects("a Filter by Type selects those of the type", func(s stock) (webhook.Filter, []*webhook.Delivery) {
		return webhook.Filter{Type: "beta.ping"}, these(s.other)
	}),
	selects("a Filter by OrderingKey selects those of the key", func(s stock) (webhook.Filter, []*webhook.Delivery) {
		return webhook.Filter{OrderingKey: "key"}, these(s.dead)
	}),
	selects("a Filter by ID selects those with the sender's ID", func(s stock) (webhook.Filter, []*webhook.Delivery) {
		return webhook.Filter{ID: s.other.ID}, these(s.other)
	}),
	selects("a Filter by States selects those in one of them", func(s stock) (webhook.Filter, []*webhook.Delivery) {
		return webhook.Filter{States: []webhook.State{webhook.Dead, webhook.Ignored}}, these(s.ignored, s.dead)
	}),
	selects("a Filter by Text finds a part of the reason", func(s stock) (webhook.Filter, []*webhook.Delivery) {
		return webhook.Filter{Text: "refused"}, these(s.dead)
	}),
	selects("a Filter by Text finds ASCII letters in any case", func(s stock) (webhook.Filter, []*webhook.Delivery) {
		return webhook.Filter{Text: "connection REFUSED"}, these(s.dead)
	}),
	selects("a Filter by Text finds letters beyond ASCII", func(s stock) (webhook.Filter, []*webhook.Delivery) {
		return webhook.Filter{Text: "Überlast"}, these(s.dead)
	}),
	selects("a Filter by Text matches special characters literally", func(s stock) (webhook.Filter, []*webhook.Delivery) {
		return webhook.Filter{Text: "100% of_"}, these(s.dead)
	}),
	selects("a Filter by Text has no patterns", func(s stock) (webhook.Filter, []*webhook.Delivery) {
		return webhook.Filter{Text: "c%d"}, nil
	}),
	selects("a Filter by From selects those received then or later", func(s stock) (webhook.Filter, []*webhook.Delivery) {
		return webhook.Filter{From: s.later.ReceivedAt}, these(s.later)
	}),
	selects("a Filter by To selects those received before", func(s stock) (webhook.Filter, []*webhook.Delivery) {
		return webhook.Filter{To: s.later.ReceivedAt}, these(s.other, s.ignored, s.dead)
	}),
	selects("a Filter with a Limit selects the newest", func(s stock) (webhook.Filter, []*webhook.Delivery) {
		return webhook.Filter{Limit: 3}, these(s.later, s.other, s.ignored)
	}),
	selects("a Filter selects what matches all of its fields", func(s stock) (webhook.Filter, []*webhook.Delivery) {
		return webhook.Filter{States: []webhook.State{webhook.Dead}, Text: "not"}, nil
	}),
	{"Before selects the next page", func(t *trial) {
		s := t.stock()
		page := t.listAll(webhook.Filter{Limit: 2})
		if len(page) != 2 {
			t.Fatalf("a page has %d records, want 2", len(page))
		}
		t.requireList(webhook.Filter{Before: page[1].Seq, Limit: 5}, s.ignored, s.dead)
	}},
}
