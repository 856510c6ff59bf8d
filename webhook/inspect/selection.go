package inspect

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

const (
	// maxChosen is how many deliveries can be chosen one by one.
	maxChosen = maxPage
	// countPage is how many matching deliveries are read at a time to count them, and
	// maxCount how long the page that asks counts.
	countPage = 1000
	maxCount  = 2 * time.Second
)

// A selection is the deliveries that match a filter, or that were chosen one by one, and that
// its kind can be done with. It is fixed: a delivery that arrives later has a higher Seq than all
// of it, and so has the later run of one that is replayed.
type selection struct {
	kind   *selectionKind
	filter webhook.Filter // with Before, which is set
	seqs   []int64        // lowest first; if not nil, these alone
}

// selectionNames are the parameters of a selection.
var selectionNames = append(slices.DeleteFunc(slices.Clone(filterNames), func(name string) bool { return name == "limit" }), "seqs")

// selectionOf returns the selection of the given parameters.
func (in *Inspector) selectionOf(ctx context.Context, k *selectionKind, q url.Values, now time.Time) (s selection, err error) {
	s.kind = k
	if s.filter, err = filterOf(q, now); err != nil {
		return s, err
	}
	for _, text := range q["seqs"] {
		seq, err := strconv.ParseInt(text, 10, 64)
		if err != nil || seq < 1 {
			return s, badRequest("seqs has %.64q, which is not the seq of a delivery", text)
		}
		s.seqs = append(s.seqs, seq)
	}
	slices.Sort(s.seqs)
	s.seqs = slices.Compact(s.seqs)
	states := s.filter.States
	s.filter.States = slices.DeleteFunc(slices.Clone(k.states), func(f webhook.State) bool { return len(states) > 0 && !slices.Contains(states, f) })
	switch {
	case len(s.seqs) > maxChosen:
		return s, badRequest("%d deliveries are chosen; the limit is %d", len(s.seqs), maxChosen)
	case s.seqs != nil && (len(states) > 0 || narrowed(s.filter) || s.filter.Before > 0):
		return s, badRequest("a selection has a filter, or seqs, but not both")
	case s.seqs == nil && len(states) == 0 && !narrowed(s.filter):
		return s, badRequest("the filter selects all deliveries; it needs a source, a state or the like")
	case len(s.filter.States) == 0:
		return s, badRequest("%s", k.needs)
	}
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	newest, err := in.newest(ctx, 0)
	if err != nil {
		return s, err
	}
	end := int64(1)
	if newest != nil {
		end = newest.Seq + 1
	}
	if s.filter.Before == 0 || s.filter.Before > end {
		s.filter.Before = end
	}
	if n := len(s.seqs); n > 0 && s.seqs[n-1] >= end {
		return s, badRequest("seqs has %d, which is not the seq of a delivery", s.seqs[n-1])
	}
	return s, nil
}

// narrowed reports whether a filter demands something beside a state.
func narrowed(f webhook.Filter) bool {
	f.States = nil
	return isNarrow(f)
}

// text says what the selection is, for people.
func (s selection) text() string {
	if s.seqs != nil {
		return fmt.Sprintf("%d chosen deliveries", len(s.seqs))
	}
	q := s.exact().parameters()
	var parts []string
	for _, name := range selectionNames {
		if q.Has(name) {
			parts = append(parts, name+" "+q.Get(name))
		}
	}
	return strings.Join(parts, "; ")
}

// A matched is the number of deliveries of a selection, as JSON.
type matched struct {
	count
	// Partial is true if counting took too long: there may be more.
	Partial bool `json:"partial,omitempty"`
}

// count counts the deliveries of a selection to countLimit, for a bounded time.
func (in *Inspector) count(ctx context.Context, s selection) (m matched, err error) {
	if s.seqs != nil {
		m.N = len(s.seqs)
		return m, nil
	}
	started, f := time.Now(), s.filter
	f.Limit = countPage
	for {
		l, err := in.list(ctx, f)
		if err != nil {
			return m, err
		}
		m.N += len(l.records)
		switch {
		case m.N > countLimit:
			m.N, m.More = countLimit, true
			return m, nil
		case l.next == 0:
			return m, nil
		case time.Since(started) > maxCount:
			m.More, m.Partial = true, true
			return m, nil
		}
		f.Before = l.next
	}
}
