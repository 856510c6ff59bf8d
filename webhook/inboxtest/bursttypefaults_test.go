package inboxtest

import (
	"context"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// A burstWatch is what a fault knows of one ordering key.
type burstWatch struct {
	types   map[string]bool // put so far
	lease   time.Duration   // of the last claim
	claimed bool            // not settled
	retried bool            // the last settlement put it back
	newest  *webhook.Delivery
}

// watchBursts calls change for a copy of each delivery that is put, with what happened
// to its ordering key before. Claims have the type, the ordering key and the Coalesce
// that were put.
func (f *fault) watchBursts(change func(d *webhook.Delivery, w *burstWatch)) {
	watches, puts := make(map[string]*burstWatch), make(map[string]webhook.Delivery)
	watch := func(d *webhook.Delivery) *burstWatch {
		if watches[d.OrderingKey] == nil {
			watches[d.OrderingKey] = &burstWatch{types: make(map[string]bool)}
		}
		return watches[d.OrderingKey]
	}
	f.change(func(d *webhook.Delivery) {
		w, put := watch(d), *d
		puts[d.UID] = put
		change(d, w)
		w.types[put.Type] = true
		if put.Coalesce.Quiet > 0 {
			w.newest = &put
		}
	})
	f.claim = func(ctx context.Context, o webhook.ClaimOptions) ([]webhook.Claim, error) {
		claims, err := f.MemInbox.Claim(ctx, o)
		f.mu.Lock()
		defer f.mu.Unlock()
		for _, c := range claims {
			put := puts[c.Delivery.UID]
			c.Delivery.Type, c.Delivery.OrderingKey, c.Delivery.Coalesce = put.Type, put.OrderingKey, put.Coalesce
			w := watch(&put)
			w.lease, w.claimed, w.retried = o.Lease, true, false
		}
		return claims, err
	}
	f.settle = func(ctx context.Context, c webhook.Claim, o webhook.Outcome) (webhook.State, error) {
		state, err := f.MemInbox.Settle(ctx, c, o)
		f.mu.Lock()
		defer f.mu.Unlock()
		put := puts[c.Delivery.UID]
		w := watch(&put)
		w.claimed, w.retried = false, state == webhook.Waiting && !o.RetryOutOfOrder
		return state, err
	}
}

// burstTypeFaults break the laws of bursts in ordering keys with several types.
var burstTypeFaults = []brokenLaw{
	{"a burst does not change deliveries of other types", func(f *fault) { // it is by ordering key
		f.watchBursts(func(d *webhook.Delivery, _ *burstWatch) {
			if d.Coalesce.Quiet == 2*short {
				d.Type = someType
			}
		})
	}},
	{"the newest of a burst runs after the older deliveries of other types", func(f *fault) { // before them
		f.watchBursts(func(d *webhook.Delivery, w *burstWatch) {
			if d.Coalesce.Quiet > 0 && w.retried && len(w.types) > 1 {
				d.OrderingKey += " passes"
			}
		})
	}},
	{"the newest of a burst passes a retry out of order of another type", func(f *fault) { // it waits for the retry
		out := false
		f.watchBursts(func(d *webhook.Delivery, _ *burstWatch) {
			if out && d.Coalesce.Quiet > 0 {
				d.Coalesce.Quiet = long
			}
		})
		settle := f.settle
		f.settle = func(ctx context.Context, c webhook.Claim, o webhook.Outcome) (webhook.State, error) {
			f.mu.Lock()
			out = out || o.RetryOutOfOrder && c.Delivery.Type == otherType
			f.mu.Unlock()
			return settle(ctx, c, o)
		}
	}},
	{"a delivery that is put back is not superseded by a newer one of another type", func(f *fault) {
		f.watchBursts(func(d *webhook.Delivery, w *burstWatch) {
			if d.Coalesce.Quiet > 0 && w.claimed && w.lease == long {
				d.Type = someType
			}
		})
	}},
	{"a delivery that is put back is superseded by a newer one of its burst behind another type", func(f *fault) { // only right behind it
		f.watchBursts(func(d *webhook.Delivery, w *burstWatch) {
			if w.claimed && w.lease == long && len(w.types) > 1 {
				d.Coalesce = webhook.Coalesce{}
			}
		})
	}},
	{"a claim that has expired is not superseded by a newer delivery of another type", func(f *fault) {
		f.watchBursts(func(d *webhook.Delivery, w *burstWatch) {
			if d.Coalesce.Quiet > 0 && w.claimed && w.lease == short {
				d.Type = someType
			}
		})
	}},
	{"a claim that has expired is superseded by a newer one of its burst behind another type", func(f *fault) { // only right behind it
		f.watchBursts(func(d *webhook.Delivery, w *burstWatch) {
			if w.claimed && w.lease == short && len(w.types) > 1 {
				d.Coalesce = webhook.Coalesce{}
			}
		})
	}},
	{"a dead delivery of a burst is revived although a younger one of another type is unfinished", func(f *fault) { // any younger one is in the way
		f.watchBursts(func(*webhook.Delivery, *burstWatch) {})
		put, younger := f.put, false
		f.put = func(ctx context.Context, d *webhook.Delivery) error {
			f.mu.Lock()
			isInTheWay := younger
			younger = younger || d.Type == otherType
			f.mu.Unlock()
			if isInTheWay && d.ID != "" {
				return &webhook.DuplicateError{UID: d.UID, State: webhook.Dead}
			}
			return put(ctx, d)
		}
	}},
	{"a delivery of NewestOnly is due at once", func(f *fault) { // the shortest Quiet is a tick of the clock
		f.change(func(d *webhook.Delivery) {
			if d.Coalesce.Quiet > 0 {
				d.Coalesce.Quiet = max(d.Coalesce.Quiet, time.Millisecond)
			}
		})
	}},
}

var replayedTypeFaults = []brokenLaw{
	{"one of a burst is replayed although a younger one of another type is unfinished", func(f *fault) { // any younger one is in the way
		f.admin.replay = func(ctx context.Context, filter webhook.Filter, n webhook.Note) (int, error) {
			if r, err := f.MemInbox.Get(ctx, filter.UID); err == nil && r.Delivery.Coalesce.Quiet > 0 {
				for _, other := range f.stored(webhook.Filter{Type: otherType, OrderingKey: r.Delivery.OrderingKey}) {
					if !other.State.Final() {
						return 0, webhook.ErrState
					}
				}
			}
			return f.MemInbox.Replay(ctx, filter, n)
		}
	}},
}
