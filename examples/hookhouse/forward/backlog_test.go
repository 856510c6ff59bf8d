package forward_test

import (
	"context"
	"errors"
	"iter"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/examples/hookhouse/service"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// receivedAt stores a push that was received at a time, and reaches the inbox now.
func (s *staging) receivedAt(t *testing.T, key string, at time.Time) {
	t.Helper()
	d := webhook.NewDelivery("github", "github.push", key, []byte(`{"key":"`+key+`"}`))
	d.ID, d.ReceivedAt = "guid-"+key, at
	if err := s.inbox.Put(t.Context(), d); err != nil {
		t.Fatal(err)
	}
}

// TestADeliveryThatReachesTheInboxLate: a spool had it before. It is new nevertheless.
func TestADeliveryThatReachesTheInboxLate(t *testing.T) {
	s := newStaging(t)
	s.put(t, "old")
	var here host
	here.up(t, receivers(localSecret, new(webhooktest.Recorder)))
	r := start(t, s.forwarder(t, here.addr))
	r.waitUntilItHasBegun(t)
	s.receivedAt(t, "late", time.Now().Add(-24*time.Hour))
	if d := cmp.Diff([]string{"late"}, r.keys(t, 1)); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
}

// A hiding store does not show a delivery yet, as a database whose transactions do not end
// in the order of their Seqs.
type hiding struct {
	*webhook.MemInbox
	key atomic.Pointer[string]
}

func (h *hiding) All(ctx context.Context, f webhook.Filter) iter.Seq2[webhook.Record, error] {
	return func(yield func(webhook.Record, error) bool) {
		for r, err := range h.MemInbox.All(ctx, f) {
			if err == nil && r.Delivery.OrderingKey == *h.key.Load() {
				continue
			}
			if !yield(r, err) {
				return
			}
		}
	}
}

// TestADeliveryThatAppearsAfterOneWithAHigherSeq: it is sent too.
func TestADeliveryThatAppearsAfterOneWithAHigherSeq(t *testing.T) {
	s := newStaging(t)
	s.down()
	store, hidden, none := &hiding{MemInbox: s.inbox}, "hidden", ""
	store.key.Store(&hidden)
	s.store = store
	s.start(t)
	var here host
	here.up(t, receivers(localSecret, new(webhooktest.Recorder)))
	f := s.forwarder(t, here.addr)
	f.Filter.From = longAgo
	r := start(t, f)
	s.put(t, "1")
	all := r.keys(t, 1)
	s.put(t, "hidden")
	s.putAll(t, numbers(2, 50))
	all = append(all, r.keys(t, 49)...)
	store.key.Store(&none)
	all = append(all, r.keys(t, 1)...)
	if d := cmp.Diff(append(numbers(1, 50), "hidden"), all); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
}

// TestItBeginsInThePast: with what was received at From or later, in the order of the inbox.
func TestItBeginsInThePast(t *testing.T) {
	s := newStaging(t)
	now := time.Now()
	for key, age := range map[string]time.Duration{"a week": 7 * 24 * time.Hour, "an hour": time.Hour} {
		s.receivedAt(t, key, now.Add(-age))
	}
	s.receivedAt(t, "just", now.Add(-time.Minute))
	s.receivedAt(t, "then", now.Add(-2*time.Minute))
	var here host
	here.up(t, receivers(localSecret, new(webhooktest.Recorder)))
	f := s.forwarder(t, here.addr)
	f.Filter.From = now.Add(-30 * time.Minute)
	r := start(t, f)
	if d := cmp.Diff([]string{"just", "then"}, r.keys(t, 2)); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
	s.put(t, "now")
	if d := cmp.Diff([]string{"now"}, r.keys(t, 1)); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
}

// TestAServiceThatCannotBeUsedFromTheBeginning: Run does not wait for it.
func TestAServiceThatCannotBeUsedFromTheBeginning(t *testing.T) {
	s := newStaging(t)
	f := s.forwarder(t, "127.0.0.1:1")
	c, err := service.New("http://"+s.addr+"/debug/hooks/", "ops", webhook.NewSecret("a wrong password"))
	if err != nil {
		t.Fatal(err)
	}
	for _, from := range []time.Time{{}, longAgo} {
		denied := s.forwarder(t, "127.0.0.1:1")
		denied.Service, denied.Filter.From = c, from
		if err := denied.Run(t.Context()); !errors.Is(err, service.ErrDenied) {
			t.Errorf("with a wrong password: %v", err)
		}
	}
	s.down()
	for _, from := range []time.Time{{}, longAgo} {
		f.Filter.From = from
		if err := f.Run(t.Context()); !errors.Is(err, service.ErrUnavailable) {
			t.Errorf("while it is away: %v", err)
		}
	}
}
