package inspect_test

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// A readStore counts the lists that are read of it, and keeps their filters.
type readStore struct {
	*webhook.MemInbox
	filters []webhook.Filter
}

func (s *readStore) All(ctx context.Context, f webhook.Filter) iter.Seq2[webhook.Record, error] {
	s.filters = append(s.filters, f)
	return s.MemInbox.All(ctx, f)
}

// A page that is full reads its rows once. Only the first one with a filter asks for the newest
// delivery too, unless a list has had it just before.
func TestAFullPageReadsTheStoreOnceOrTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.fill(3000)
		store := &readStore{MemInbox: r.inbox}
		r.Inspector = r.inspector(store, ann)
		for _, tt := range []struct {
			query  string
			pause  time.Duration
			limits []int
		}{
			{"?type=shop.order", 0, []int{1, 51}},
			{"?type=shop.order", time.Second, []int{51}},
			{"?type=shop.order", 3 * time.Second, []int{1, 51}},
			{"?type=shop.order&before=2000", 3 * time.Second, []int{51}},
			{"?state=waiting&limit=10&before=5", 0, []int{11}},
			{"?before=2000", 0, []int{51}},
			{"?type=shop.order", 0, []int{1, 51}}, // a page in the middle does not have the newest
			{"", 3 * time.Second, []int{51}},
			{"?type=shop.order", time.Second, []int{51}},
		} {
			time.Sleep(tt.pause)
			store.filters = nil
			page := decode[listed](t, r.get("api/deliveries"+tt.query))
			var limits []int
			for _, f := range store.filters {
				limits = append(limits, f.Limit)
				if f.Bodies || f.Unsigned != (f.Limit > 1) {
					t.Errorf("%s: reads %+v", tt.query, f)
				}
			}
			if !slices.Equal(limits, tt.limits) || len(page.Deliveries) == 0 {
				t.Errorf("%s: %d deliveries by lists of %v rows, want %v", tt.query, len(page.Deliveries), limits, tt.limits)
			}
		}
	})
}

// What is stored after the newest delivery was seen is in the page all the same, also if its
// numbers begin again.
func TestAPageHasWhatIsNewerThanWhatWasSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		store := &readStore{MemInbox: r.inbox}
		r.Inspector = r.inspector(store, ann)
		r.fill(1500)
		r.get("api/deliveries")
		r.put(delivery("new", "{}"))
		if got := decode[listed](t, r.get("api/deliveries?type=shop.order&limit=2")).keys(); !slices.Equal(got, []string{"new", "1499"}) {
			t.Errorf("%v", got)
		}
		store.MemInbox = new(webhook.MemInbox)
		for _, key := range []string{"a", "b"} {
			if err := store.Put(t.Context(), delivery(key, "{}")); err != nil {
				t.Fatal(err)
			}
		}
		if got := decode[listed](t, r.get("api/deliveries?type=shop.order")).keys(); !slices.Equal(got, []string{"b", "a"}) {
			t.Errorf("of numbers that begin again: %v", got)
		}
	})
}

// A window after the first one looks for what is missing, and no more.
func TestAWindowLooksForWhatIsMissing(t *testing.T) {
	r := newRig(t)
	for i := range 2500 {
		d := delivery(fmt.Sprint(i), "{}")
		if i%100 == 0 {
			d.Type = "shop.rare"
		}
		r.put(d)
	}
	store := &readStore{MemInbox: r.inbox}
	r.Inspector = r.inspector(store, ann)
	page := decode[listed](t, r.get("api/deliveries?type=shop.rare&limit=15&before=2501"))
	var limits []int
	for _, f := range store.filters {
		limits = append(limits, f.Limit)
	}
	if len(page.Deliveries) != 15 || page.Next == 0 || page.Partial || !slices.Equal(limits, []int{16, 6}) {
		t.Errorf("%d deliveries, next %d, by lists of %v rows", len(page.Deliveries), page.Next, limits)
	}
}
