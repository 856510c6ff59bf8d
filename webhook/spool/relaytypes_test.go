package spool_test

import (
	"context"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
)

func ofType(typ string) func(*webhook.Delivery) {
	return func(d *webhook.Delivery) { d.Type = typ }
}

// The others are left to a Worker of the same Queue, which gets all of them while the Handler of
// the Relay fails.
func TestRelayPassesOnItsTypesOnly(t *testing.T) {
	synctestRun(t, "one type of two, while the Handler fails, and when it works again", func(t *testing.T) {
		from, to, others, works := &webhook.MemInbox{}, &handlerLog{}, &handlerLog{}, new(atomic.Bool)
		r := newRelay(from, webhook.HandlerFunc(func(ctx context.Context, d *webhook.Delivery) error {
			if d.Type != "alpha.event" {
				t.Errorf("the Relay passes on one of type %s", d.Type)
			}
			if !works.Load() {
				return errBoom
			}
			return to.Handle(ctx, d)
		}))
		r.Types = []string{"alpha.event"}
		defer start(t, r)()
		var mux webhook.Mux
		mux.Route("alpha.delivery", others)
		defer start(t, webhook.NewWorker(from, &mux))()
		for _, uid := range []string{"1", "3", "5"} {
			putDelivery(t, from, uid, ofType("alpha.event"))
		}
		for _, uid := range []string{"2", "4"} {
			putDelivery(t, from, uid, ofType("alpha.delivery"))
		}
		advance(time.Hour)
		handled := others.calls()
		slices.Sort(handled)
		if diff := cmp.Diff([]string{"2", "4"}, handled); diff != "" {
			t.Errorf("the Worker has handled (-want +got):\n%s", diff)
		}
		if got := counts(t, from); got[webhook.Done] != 2 || got[webhook.Dead] != 0 {
			t.Errorf("%v, want the two of the Worker done, and none dead", got)
		}
		works.Store(true)
		advance(time.Minute)
		passed := to.calls()
		slices.Sort(passed)
		if diff := cmp.Diff([]string{"1", "3", "5"}, passed); diff != "" {
			t.Errorf("the Relay has passed on (-want +got):\n%s", diff)
		}
	})
	synctestRun(t, "no type", func(t *testing.T) {
		from, to := &webhook.MemInbox{}, &target{}
		putDelivery(t, from, "1", ofType("alpha.event"))
		r := newRelay(from, to)
		r.Types = []string{}
		defer start(t, r)()
		advance(time.Minute)
		if _, calls := to.seen(); calls != 0 {
			t.Errorf("%d calls, want none", calls)
		}
	})
}
