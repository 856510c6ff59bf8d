package inboxtest

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// isDelayed reports whether d has a NotBefore that is ahead, and that can be stored.
func isDelayed(d *webhook.Delivery) bool {
	wait := time.Until(d.NotBefore)
	return wait > 0 && wait < 2*long
}

// notBeforeFaults break the laws of NotBefore.
var notBeforeFaults = []brokenLaw{
	{"a delivery is not claimed before NotBefore", func(f *fault) { // of more than a minute
		f.change(func(d *webhook.Delivery) {
			if d.OrderingKey == "" && isDelayed(d) && time.Until(d.NotBefore) > time.Minute {
				d.NotBefore = time.Time{}
			}
		})
	}},
	{"a delivery is claimed after NotBefore", func(f *fault) { // too early
		f.change(func(d *webhook.Delivery) {
			if d.OrderingKey == "" && isDelayed(d) {
				d.NotBefore = d.NotBefore.Add(-short)
			}
		})
	}},
	{"a NotBefore that has passed does not delay a delivery", func(f *fault) { // it is taken for an offset
		f.change(func(d *webhook.Delivery) {
			if d.NotBefore.Unix() == 1 {
				d.NotBefore = time.Now().Add(time.Second)
			}
		})
	}},
	{"an ordering key waits for the NotBefore of its oldest delivery", func(f *fault) { // it does not
		keys := make(map[string]string)
		f.change(func(d *webhook.Delivery) {
			keys[d.UID] = d.OrderingKey
			if wait := time.Until(d.NotBefore); d.OrderingKey != "" && wait > 2*short && wait < time.Minute {
				d.OrderingKey += " " + d.UID
			}
		})
		f.changeClaims(func(c *webhook.Claim) { c.Delivery.OrderingKey = keys[c.Delivery.UID] })
	}},
	{"a blocked delivery is not claimed before NotBefore once it is the oldest", func(f *fault) { // its turn counts
		seen := make(map[string]bool)
		f.change(func(d *webhook.Delivery) {
			if seen[d.OrderingKey] && d.Coalesce.Quiet == 0 {
				d.NotBefore = time.Time{}
			}
			seen[d.OrderingKey] = d.OrderingKey != ""
		})
	}},
	{"a coalescing delivery is not claimed before NotBefore", func(f *fault) { // Quiet counts
		f.change(func(d *webhook.Delivery) {
			if d.Coalesce.Quiet == short {
				d.NotBefore = time.Time{}
			}
		})
	}},
	{"a coalescing delivery is not claimed after NotBefore while Quiet is not over", func(f *fault) { // NotBefore counts
		f.change(func(d *webhook.Delivery) {
			if d.Coalesce.Max == 0 && isDelayed(d) && d.Coalesce.Quiet == long {
				d.Coalesce.Quiet = time.Nanosecond
			}
		})
	}},
	{"a delivery with NotBefore is superseded by a newer one of its burst", func(f *fault) { // it is not part of it
		keys := make(map[string]string)
		f.change(func(d *webhook.Delivery) {
			keys[d.UID] = d.OrderingKey
			if d.Coalesce.Max > 0 && isDelayed(d) {
				d.OrderingKey += " " + d.UID
			}
		})
		f.changeClaims(func(c *webhook.Claim) { c.Delivery.OrderingKey = keys[c.Delivery.UID] })
	}},
	{"Put refuses a NotBefore that no inbox can store", func(f *fault) { // it is moved into the range
		f.change(func(d *webhook.Delivery) {
			if !d.NotBefore.IsZero() && d.NotBefore.UnixMicro() < 0 {
				d.NotBefore = d.NotBefore.Add(long)
			}
		})
	}},
	{"a revived delivery does not wait for the NotBefore of its redelivery", func(f *fault) {
		delayed := make(map[string]bool)
		f.put = func(ctx context.Context, d *webhook.Delivery) error {
			err := f.MemInbox.Put(ctx, d)
			if known, ok := errors.AsType[*webhook.DuplicateError](err); ok && known.Revived {
				f.mu.Lock()
				delayed[known.UID] = isDelayed(d)
				f.mu.Unlock()
			}
			return err
		}
		f.withhold(delayed)
	}},
}

// adminNotBeforeFaults break the laws of an Admin about NotBefore.
var adminNotBeforeFaults = []brokenLaw{
	{"a released delivery does not wait for NotBefore", func(f *fault) { // Release changes retries only
		f.admin.release = func(ctx context.Context, uid string) error {
			if r, err := f.MemInbox.Get(ctx, uid); err == nil && isDelayed(r.Delivery) && r.Delivery.OrderingKey != "" {
				return nil
			}
			return f.MemInbox.Release(ctx, uid)
		}
	}},
	{"a replayed delivery does not wait for NotBefore", func(f *fault) {
		delayed := make(map[string]bool)
		f.admin.replay = func(ctx context.Context, filter webhook.Filter, n webhook.Note) (int, error) {
			if r, err := f.MemInbox.Get(ctx, filter.UID); err == nil {
				f.mu.Lock()
				delayed[filter.UID] = isDelayed(r.Delivery)
				f.mu.Unlock()
			}
			return f.MemInbox.Replay(ctx, filter, n)
		}
		f.withhold(delayed)
	}},
	{"a record of a delivery with NotBefore has that as the time at which it is due", func(f *fault) { // it has the time of Put
		f.changeRecords(func(r *webhook.Record) {
			if isDelayed(r.Delivery) {
				r.Due = r.Delivery.ReceivedAt
			}
		})
	}},
	{"Get returns NotBefore and Malformed", func(f *fault) { // HTML is escaped
		f.changeRecords(func(r *webhook.Record) {
			if r.Delivery.Malformed != "" {
				r.Delivery.Malformed = "escaped"
			}
		})
	}},
}

// withhold makes Claim leave out these deliveries.
func (f *fault) withhold(uids map[string]bool) {
	f.claim = func(ctx context.Context, o webhook.ClaimOptions) ([]webhook.Claim, error) {
		f.mu.Lock()
		o.Except = slices.Clone(o.Except)
		for uid, withheld := range uids {
			if withheld {
				o.Except = append(o.Except, uid)
			}
		}
		f.mu.Unlock()
		return f.MemInbox.Claim(ctx, o)
	}
}
