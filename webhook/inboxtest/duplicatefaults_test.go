package inboxtest

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/hookhouse/hookhouse/webhook"
)

// duplicateFaults break the laws of duplicates and redeliveries.
var duplicateFaults = []brokenLaw{
	{"a second Put of a UID is a duplicate of the first", func(f *fault) { // the error has a UID for known dedup keys only
		f.changeDuplicates(func(d *webhook.Delivery, known *webhook.DuplicateError) {
			if d.UID == known.UID {
				known.UID = ""
			}
		})
	}},
	{"a Put with a known dedup key is a duplicate of the first delivery", func(f *fault) { // the error has the UID of the second
		f.changeDuplicates(func(d *webhook.Delivery, known *webhook.DuplicateError) { known.UID = d.UID })
	}},
	{"a redelivery of a done delivery revives nothing", func(f *fault) {
		f.changeDuplicates(func(d *webhook.Delivery, known *webhook.DuplicateError) {
			known.Revived = known.Revived || known.State == webhook.Done && d.ID != ""
		})
	}},
	{"equal dedup keys of different sources are no duplicates", func(f *fault) {
		first := make(map[string]string)
		f.put = func(ctx context.Context, d *webhook.Delivery) error {
			f.mu.Lock()
			defer f.mu.Unlock()
			for _, key := range d.DedupKeys {
				if source, ok := first[key]; ok && source != d.Source {
					return &webhook.DuplicateError{}
				}
				first[key] = d.Source
			}
			return f.MemInbox.Put(ctx, d)
		}
	}},
	{"a duplicate leaves none of its other dedup keys", func(f *fault) { // stores dedup keys first, without a transaction
		left := make(map[string]bool)
		f.put = func(ctx context.Context, d *webhook.Delivery) error {
			f.mu.Lock()
			defer f.mu.Unlock()
			for _, key := range d.DedupKeys {
				if left[key] {
					return &webhook.DuplicateError{}
				}
			}
			err := f.MemInbox.Put(ctx, d)
			if err != nil && len(d.DedupKeys) > 1 {
				left[d.DedupKeys[0]] = true
			}
			return err
		}
	}},
	{"deliveries without dedup keys are never duplicates of each other", func(f *fault) { // compares IDs
		f.change(func(d *webhook.Delivery) {
			if d.ID != "" && len(d.DedupKeys) == 0 {
				d.DedupKeys = []string{"id:" + d.ID}
			}
		})
	}},
	{"a delivery may have the same dedup key twice", func(f *fault) { // a violated primary key
		f.put = func(ctx context.Context, d *webhook.Delivery) error {
			if len(slices.Compact(slices.Clone(d.DedupKeys))) != len(d.DedupKeys) {
				return &webhook.DuplicateError{}
			}
			return f.MemInbox.Put(ctx, d)
		}
	}},
	{"dedup keys are compared byte by byte", func(f *fault) { // a collation
		f.change(func(d *webhook.Delivery) {
			d.DedupKeys = slices.Clone(d.DedupKeys)
			for i, key := range d.DedupKeys {
				d.DedupKeys[i] = strings.TrimRight(key, " ")
			}
		})
	}},
	{"fifty concurrent Puts of one dedup key store one delivery", func(f *fault) { // checks before it stores, without a lock
		busy := f.concurrent()
		f.put = func(ctx context.Context, d *webhook.Delivery) error {
			own := *d
			if busy() {
				own.DedupKeys = nil
			}
			return f.MemInbox.Put(ctx, &own)
		}
	}},
	{"fifty concurrent Puts of one UID store one delivery", func(f *fault) { // an upsert
		busy := f.concurrent()
		put := f.put
		f.put = func(ctx context.Context, d *webhook.Delivery) error {
			several := busy()
			err := put(ctx, d)
			if known, ok := errors.AsType[*webhook.DuplicateError](err); ok && several && known.UID == d.UID {
				return nil
			}
			return err
		}
	}},
	{"a revived delivery starts again at attempt 1", func(f *fault) {
		runs := make(map[string]int)
		f.changeClaims(func(c *webhook.Claim) { c.Attempt += runs[c.Delivery.UID] })
		f.changeOutcomes(func(c *webhook.Claim, o *webhook.Outcome) {
			if o.State == webhook.Dead {
				runs[c.Delivery.UID] = c.Attempt
			}
		})
	}},
	{"a revived delivery is not suspect", func(f *fault) { // keeps the number of crashes
		crashes := make(map[string]int)
		f.changeClaims(func(c *webhook.Claim) {
			crashes[c.Delivery.UID] = max(crashes[c.Delivery.UID], c.Crashes)
			if c.Attempt == 1 {
				c.Crashes = crashes[c.Delivery.UID]
			}
		})
	}},
	{"a revived delivery has a higher fence", func(f *fault) { // inserts a new row
		base := make(map[string]int64)
		f.changeClaims(func(c *webhook.Claim) { c.Fence -= base[c.Delivery.UID] })
		f.settle = func(ctx context.Context, c webhook.Claim, o webhook.Outcome) (webhook.State, error) {
			c.Fence += base[c.Delivery.UID]
			state, err := f.MemInbox.Settle(ctx, c, o)
			if err == nil && state == webhook.Dead {
				base[c.Delivery.UID] = c.Fence
			}
			return state, err
		}
	}},
	{"a dead delivery is revived three times at most", func(f *fault) {
		ids := make(map[string]string)
		f.changeDuplicates(func(d *webhook.Delivery, known *webhook.DuplicateError) {
			if known.State == webhook.Dead && d.UID != known.UID && d.ID != "" && d.ID == ids[known.UID] && d.Coalesce.Quiet == 0 {
				known.State, known.Revived = webhook.Waiting, true
			}
		})
		f.changeClaims(func(c *webhook.Claim) { ids[c.Delivery.UID] = c.Delivery.ID })
	}},
	{"a dead delivery of a burst is not revived while a younger one is unfinished", func(f *fault) { // does not check for younger ones
		f.changeDuplicates(func(d *webhook.Delivery, known *webhook.DuplicateError) {
			if known.State == webhook.Dead && d.ID != "" && d.Coalesce.Quiet > 0 {
				known.State, known.Revived = webhook.Waiting, true
			}
		})
	}},
	{"a redelivery with another ID revives nothing", func(f *fault) { // accepts any ID
		f.change(func(d *webhook.Delivery) {
			if d.ID == "another" {
				d.ID = "id"
			}
		})
	}},
	{"a redelivery without an ID revives nothing", func(f *fault) { // two empty IDs are equal
		f.change(func(d *webhook.Delivery) {
			if d.ID == "" {
				d.ID = "none"
			}
		})
		f.changeClaims(func(c *webhook.Claim) { c.Delivery.ID = strings.TrimPrefix(c.Delivery.ID, "none") })
	}},
	{"a second Put of a dead UID revives nothing", func(f *fault) { // treats it as a redelivery
		stored := make(map[string]bool)
		f.change(func(d *webhook.Delivery) {
			if stored[d.UID] && d.ID != "" {
				d.UID += " again"
			}
			stored[d.UID] = true
		})
	}},
}
