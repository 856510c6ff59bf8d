package inspect_test

import (
	"context"
	"iter"
	"slices"
	"testing"

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

// A page that is full reads its rows once, and beside them at most the newest one.
func TestAFullPageReadsTheStoreOnceOrTwice(t *testing.T) {
	r := newRig(t)
	r.fill(3000)
	store := &readStore{MemInbox: r.inbox}
	r.Inspector = r.inspector(store, ann)
	for query, want := range map[string][]int{
		"": {51}, "?before=2000": {51}, "?type=shop.order": {1, 51}, "?type=shop.order&before=2000": {51}, "?state=waiting&limit=10&before=5": {11},
	} {
		store.filters = nil
		page := decode[listed](t, r.get("api/deliveries"+query))
		var limits []int
		for _, f := range store.filters {
			limits = append(limits, f.Limit)
			if f.Bodies || f.Unsigned != (f.Limit > 1) {
				t.Errorf("%s: reads %+v", query, f)
			}
		}
		if !slices.Equal(limits, want) || len(page.Deliveries) == 0 {
			t.Errorf("%s: %d deliveries by lists of %v rows, want %v", query, len(page.Deliveries), limits, want)
		}
	}
}
