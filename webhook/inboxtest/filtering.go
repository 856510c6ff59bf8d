package inboxtest

import (
	"errors"
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
	{"After and Before select what is between them", func(t *trial) {
		s := t.stock()
		t.requireList(webhook.Filter{After: t.get(s.ignored).Seq}, s.later, s.other)
		t.requireList(webhook.Filter{After: t.get(s.dead).Seq, Before: t.get(s.later).Seq}, s.other, s.ignored)
		t.requireList(webhook.Filter{After: t.get(s.later).Seq})
	}},
	{"After restricts what is replayed and discarded", func(t *trial) {
		older, younger := t.finished("", webhook.Dead), t.finished("", webhook.Dead)
		after := t.get(older).Seq
		if n, err := t.admin().Discard(t.Context(), webhook.Filter{After: after}, someone); n != 1 || err != nil {
			t.Errorf("Discard returned %d, %v, want 1", n, err)
		}
		t.requireList(webhook.Filter{}, older)
		if n, err := t.admin().Replay(t.Context(), webhook.Filter{After: after}, someone); n != 0 || err != nil {
			t.Errorf("Replay returned %d, %v, want 0", n, err)
		}
		t.replay(webhook.Filter{After: after - 1, UID: older.UID}, 1)
		if n, err := t.admin().GiveUp(t.Context(), webhook.Filter{After: t.get(older).Seq}, webhook.Ignored, someone); n != 0 || err != nil {
			t.Errorf("GiveUp returned %d, %v, want 0; %s is gone", n, err, younger.UID)
		}
	}},
	{"a replay of a run that is not the last one is ErrState", func(t *trial) {
		t.finished("", webhook.Done) // so that the Seq before is not zero
		d := t.finished("", webhook.Dead)
		seq := t.get(d).Seq
		run := webhook.Filter{UID: d.UID, After: seq - 1, Before: seq + 1}
		t.replay(run, 1)
		t.end(t.claimOf(d), webhook.Done)
		if n, err := t.admin().Replay(t.Context(), run, someone); n != 0 || !errors.Is(err, webhook.ErrState) {
			t.Errorf("Replay returned %d, %v, want ErrState", n, err)
		}
	}},
	{"a Filter that Validate refuses is an error", func(t *trial) {
		d := t.finished("key", webhook.Dead)
		waiting := t.put("")
		for _, f := range []webhook.Filter{
			{UID: d.UID, States: []webhook.State{"buried", webhook.Dead}}, {UID: d.UID, Limit: -1}, {UID: d.UID, Before: -1}, {UID: d.UID, After: -1},
		} {
			if errs, n := errorsOf(t.Context(), t.admin(), f); len(errs) != 1 || n > 0 {
				t.Errorf("All returned %d records and the errors %v, want one error: %+v", n, errs, f)
			}
			if n, err := t.admin().Discard(t.Context(), f, someone); n != 0 || err == nil {
				t.Errorf("Discard returned %d, %v, want an error: %+v", n, err, f)
			}
			if n, err := t.admin().Replay(t.Context(), f, someone); n != 0 || err == nil {
				t.Errorf("Replay returned %d, %v, want an error: %+v", n, err, f)
			}
			f.UID = waiting.UID
			if n, err := t.admin().GiveUp(t.Context(), f, webhook.Ignored, someone); n != 0 || err == nil {
				t.Errorf("GiveUp returned %d, %v, want an error: %+v", n, err, f)
			}
		}
		t.requireList(webhook.Filter{States: []webhook.State{webhook.Dead}}, d)
	}},
}
