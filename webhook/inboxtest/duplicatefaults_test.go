package inboxtest

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/hookhouse/hookhouse/webhook"
)

// duplicateFaults break the laws of duplicates and revivals.
var duplicateFaults = []brokenLaw{
	{"a known UID is a duplicate of itself", func(f *fault) { // tells only of dedup keys
		f.changeDuplicates(func(d *webhook.Delivery, known *webhook.DuplicateError) {
			if d.UID == known.UID {
				known.UID = ""
			}
		})
	}},
	{"a known dedup key makes a duplicate of the first", func(f *fault) { // names the second
		f.changeDuplicates(func(d *webhook.Delivery, known *webhook.DuplicateError) { known.UID = d.UID })
	}},
	{"a redelivery of what is done stores nothing", func(f *fault) {
		f.changeDuplicates(func(d *webhook.Delivery, known *webhook.DuplicateError) {
			known.Revived = known.Revived || known.State == webhook.Done && d.ID != ""
		})
	}},
	{"dedup keys hold within their source", func(f *fault) {
		first := make(map[string]string)
		f.put = func(ctx context.Context, d *webhook.Delivery) error {
			f.mu.Lock()
			defer f.mu.Unlock()
			for _, m := range d.DedupKeys {
				if source, ok := first[m]; ok && source != d.Source {
					return &webhook.DuplicateError{}
				}
				first[m] = d.Source
			}
			return f.MemInbox.Put(ctx, d)
		}
	}},
	{"a refused put leaves none of its dedup keys", func(f *fault) { // dedup keys first, no transaction
		left := make(map[string]bool)
		f.put = func(ctx context.Context, d *webhook.Delivery) error {
			f.mu.Lock()
			defer f.mu.Unlock()
			for _, m := range d.DedupKeys {
				if left[m] {
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
	{"deliveries without dedup keys are never duplicates", func(f *fault) { // by ID
		f.change(func(d *webhook.Delivery) {
			if d.ID != "" && len(d.DedupKeys) == 0 {
				d.DedupKeys = []string{"id:" + d.ID}
			}
		})
	}},
	{"a dedup key that stands twice is one dedup key", func(f *fault) { // a primary key
		f.put = func(ctx context.Context, d *webhook.Delivery) error {
			if len(slices.Compact(slices.Clone(d.DedupKeys))) != len(d.DedupKeys) {
				return &webhook.DuplicateError{}
			}
			return f.MemInbox.Put(ctx, d)
		}
	}},
	{"dedup keys are compared byte for byte", func(f *fault) { // a collation
		f.change(func(d *webhook.Delivery) {
			d.DedupKeys = slices.Clone(d.DedupKeys)
			for i, m := range d.DedupKeys {
				d.DedupKeys[i] = strings.TrimRight(m, " ")
			}
		})
	}},
	{"fifty puts of one dedup key at once store one", func(f *fault) { // look, then store
		busy := f.concurrent()
		f.put = func(ctx context.Context, d *webhook.Delivery) error {
			own := *d
			if busy() {
				own.DedupKeys = nil
			}
			return f.MemInbox.Put(ctx, &own)
		}
	}},
	{"fifty puts of one UID at once store one", func(f *fault) { // upsert
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
	{"what is revived starts over at attempt 1", func(f *fault) {
		runs := make(map[string]int)
		f.changeClaims(func(c *webhook.Claim) { c.Attempt += runs[c.Delivery.UID] })
		f.changeOutcomes(func(c *webhook.Claim, o *webhook.Outcome) {
			if o.State == webhook.Dead {
				runs[c.Delivery.UID] = c.Attempt
			}
		})
	}},
	{"what is revived is not suspect", func(f *fault) { // keeps the count of crashes
		crashes := make(map[string]int)
		f.changeClaims(func(c *webhook.Claim) {
			crashes[c.Delivery.UID] = max(crashes[c.Delivery.UID], c.Crashes)
			if c.Attempt == 1 {
				c.Crashes = crashes[c.Delivery.UID]
			}
		})
	}},
	{"what is revived has a higher fence", func(f *fault) { // a row written anew
		base := make(map[string]int64)
		f.changeClaims(func(c *webhook.Claim) { c.Fence -= base[c.Delivery.UID] })
		f.settle = func(ctx context.Context, c webhook.Claim, o webhook.Outcome) (webhook.State, error) {
			c.Fence += base[c.Delivery.UID]
			came, err := f.MemInbox.Settle(ctx, c, o)
			if err == nil && came == webhook.Dead {
				base[c.Delivery.UID] = c.Fence
			}
			return came, err
		}
	}},
	{"what is dead is revived three times at most", func(f *fault) {
		ids := make(map[string]string)
		f.changeDuplicates(func(d *webhook.Delivery, known *webhook.DuplicateError) {
			if known.State == webhook.Dead && d.UID != known.UID && d.ID != "" && d.ID == ids[known.UID] && d.Coalesce.Quiet == 0 {
				known.State, known.Revived = webhook.Waiting, true
			}
		})
		f.changeClaims(func(c *webhook.Claim) { ids[c.Delivery.UID] = c.Delivery.ID })
	}},
	{"one of a burst stays dead while a younger one is unfinished", func(f *fault) { // younger ones are not asked for
		f.changeDuplicates(func(d *webhook.Delivery, known *webhook.DuplicateError) {
			if known.State == webhook.Dead && d.ID != "" && d.Coalesce.Quiet > 0 {
				known.State, known.Revived = webhook.Waiting, true
			}
		})
	}},
	{"a redelivery with another ID revives nothing", func(f *fault) { // any ID will do
		f.change(func(d *webhook.Delivery) {
			if d.ID == "another" {
				d.ID = "id"
			}
		})
	}},
	{"a redelivery without an ID revives nothing", func(f *fault) { // none equals none
		f.change(func(d *webhook.Delivery) {
			if d.ID == "" {
				d.ID = "none"
			}
		})
		f.changeClaims(func(c *webhook.Claim) { c.Delivery.ID = strings.TrimPrefix(c.Delivery.ID, "none") })
	}},
	{"a put of the same UID revives nothing", func(f *fault) { // taken for a redelivery
		stored := make(map[string]bool)
		f.change(func(d *webhook.Delivery) {
			if stored[d.UID] && d.ID != "" {
				d.UID += " again"
			}
			stored[d.UID] = true
		})
	}},
}
