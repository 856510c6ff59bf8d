package forward_test

import (
	"context"
	"iter"
	"log/slog"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// A swapped store becomes another one, as when its program starts again.
type swapped struct {
	*webhook.MemInbox
	after atomic.Pointer[webhook.MemInbox] // from then on
	armed atomic.Bool                      // the next look for the newest delivery is the last before
}

func (s *swapped) now() *webhook.MemInbox {
	if in := s.after.Load(); in != nil {
		return in
	}
	return s.MemInbox
}

func (s *swapped) Get(ctx context.Context, uid string) (webhook.Record, error) {
	return s.now().Get(ctx, uid)
}

// newest is the Limit with which an inspector reads a page of one delivery.
const newest = 2

func (s *swapped) All(ctx context.Context, f webhook.Filter) iter.Seq2[webhook.Record, error] {
	list := s.now().All(ctx, f)
	if f.Limit == newest && f.Before == 0 && s.armed.CompareAndSwap(true, false) {
		next := &webhook.MemInbox{Logger: slog.New(slog.DiscardHandler)}
		for _, key := range numbers(301, 600) {
			if err := next.Put(ctx, webhook.NewDelivery("dockerhub", "dockerhub.push", key, webhooktest.DockerHubPush())); err != nil {
				return func(yield func(webhook.Record, error) bool) { yield(webhook.Record{}, err) }
			}
		}
		s.after.Store(next)
	}
	return list
}

// TestStagingRestartsBetweenTwoCallsOfALook: the first call is answered by the program before,
// and the others by the one after, whose Seqs begin again. The order is kept.
func TestStagingRestartsBetweenTwoCallsOfALook(t *testing.T) {
	s := newStaging(t)
	s.down()
	store := &swapped{MemInbox: s.inbox}
	s.store = store
	s.start(t)
	got := new(webhooktest.Recorder)
	var here host
	here.up(t, receivers(localSecret, got))
	f := s.forwarder(t, here.addr)
	f.Filter.From = longAgo
	r := start(t, f)
	s.putAll(t, numbers(1, 299))
	all := r.keys(t, 299)
	store.armed.Store(true)
	s.put(t, "300") // is lost
	all = append(all, r.keys(t, 300)...)
	if d := cmp.Diff(append(numbers(1, 299), numbers(301, 600)...), all); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
}
