package inspect

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/hookhouse/hookhouse/internal/bench/env"
	"github.com/hookhouse/hookhouse/internal/bench/schema"
	"github.com/hookhouse/hookhouse/webhook"
)

// pageSize is the default of the list.
const pageSize = 50

// A list is a filter with the times of its pages. A page that finds nothing is followed by
// the next, as a person does who looks for something.
type list struct {
	name   string
	filter webhook.Filter
	pages  int   // until something is found
	found  int   // on the last of these pages
	calls  int64 // of the store, for the last page

	inspector []float64 // ms, of the pages of a pass on average
	bare      []float64 // ms, as many SELECTs that look at the same rows
	unbounded []float64 // ms, one SELECT without a bound, once in five passes
}

// listsOf are the filters of a table of n rows.
func (sc *scene) listsOf(n int) []*list {
	// A filter that one row matches finds it this far below the newest one.
	deep := min(150_000, n*3/4)
	ago := func(rows int) time.Time { return sc.shape.ReceivedAt(n - rows) }
	return []*list{
		{name: "no filter"},
		{name: "no filter, page 100", filter: webhook.Filter{Before: int64(n - 99*pageSize + 1)}},
		{name: "source", filter: webhook.Filter{Source: "kudu"}},
		{name: "type", filter: webhook.Filter{Type: "github.check_run"}},
		{name: "ordering key", filter: webhook.Filter{OrderingKey: "acme/service-7"}},
		{name: "state waiting", filter: webhook.Filter{States: []webhook.State{webhook.Waiting}}},
		{name: "state dead", filter: webhook.Filter{States: []webhook.State{webhook.Dead}}},
		{name: "text", filter: webhook.Filter{Text: "Connection refused"}},
		{name: "since", filter: webhook.Filter{From: ago(40_000)}},
		{name: "since and until", filter: webhook.Filter{From: ago(n / 25), To: ago(n / 50)}},
		{name: "until, half way down", filter: webhook.Filter{To: ago(n / 2)}},
		{name: "sender's id, a new one", filter: webhook.Filter{ID: strconv.Itoa(n - 10)}},
		{name: fmt.Sprintf("sender's id, %d below", deep), filter: webhook.Filter{ID: strconv.Itoa(n - deep)}},
	}
}

// measureLists measures all filters in turns.
func (c command) measureLists(ctx context.Context, sc *scene) ([]*list, error) {
	lists := sc.listsOf(c.rows)
	for _, l := range lists { // the first time fills caches and prepares statements
		if err := sc.turn(ctx, &list{name: l.name, filter: l.filter}, false); err != nil {
			return nil, fmt.Errorf("%s: %w", l.name, err)
		}
	}
	n := 0
	return lists, env.Rounds(c.count, len(lists), len(lists), func(i int) error {
		n++
		if err := sc.turn(ctx, lists[i], n%2 == 0); err != nil {
			return fmt.Errorf("%s: %w", lists[i].name, err)
		}
		return nil
	})
}

// turn looks through pages until one has something. Each page is made once, which finds out
// how far back it looks, and then it and its SELECT are timed, in an order that changes.
func (sc *scene) turn(ctx context.Context, l *list, selectFirst bool) error {
	l.filter.Limit = pageSize
	f, pages := l.filter, 0
	var inspector, bare time.Duration
	for {
		pages++
		before := sc.calls.Load()
		p, _, err := sc.page(ctx, f)
		if err != nil {
			return err
		}
		l.calls = sc.calls.Load() - before
		for _, isSelect := range []bool{selectFirst, !selectFirst} {
			var took time.Duration
			if isSelect {
				took, err = sc.bare(ctx, f, p)
				bare += took
			} else {
				_, took, err = sc.page(ctx, f)
				inspector += took
			}
			if err != nil {
				return err
			}
		}
		l.found = len(p.Deliveries)
		if l.found > 0 || p.Next == 0 {
			break
		}
		f.Before = p.Next
	}
	l.pages = pages
	l.inspector = append(l.inspector, env.Millis(inspector)/float64(pages))
	l.bare = append(l.bare, env.Millis(bare)/float64(pages))
	if len(l.inspector)%5 == 1 {
		start := time.Now()
		if _, err := schema.Select(ctx, sc.DB, l.filter); err != nil {
			return err
		}
		l.unbounded = append(l.unbounded, env.Millis(time.Since(start)))
	}
	return nil
}

// A shownPage is the part of the inspector's JSON that is compared.
type shownPage struct {
	Deliveries []struct {
		Seq int64 `json:"seq"`
	} `json:"deliveries"`
	Next int64 `json:"next"`
}

func (p shownPage) seqs() (all []int64) {
	for _, d := range p.Deliveries {
		all = append(all, d.Seq)
	}
	return all
}

// page asks the inspector for a page.
func (sc *scene) page(ctx context.Context, f webhook.Filter) (p shownPage, took time.Duration, err error) {
	start := time.Now()
	text, err := sc.get(ctx, "api/deliveries?"+queryOf(f).Encode())
	if err != nil {
		return p, 0, err
	}
	took = time.Since(start)
	return p, took, json.Unmarshal(text, &p)
}

// bare makes the SELECT of a page, which goes as far back as the page. It must find the same.
func (sc *scene) bare(ctx context.Context, f webhook.Filter, p shownPage) (took time.Duration, err error) {
	f.After = max(p.Next-1, 0)
	start := time.Now()
	rows, err := schema.Select(ctx, sc.DB, f)
	took = time.Since(start)
	if err != nil {
		return 0, err
	}
	var seqs []int64
	for _, r := range rows {
		seqs = append(seqs, r.Seq)
	}
	if !slices.Equal(seqs, p.seqs()) {
		return 0, fmt.Errorf("the page has %v, and the SELECT %v", p.seqs(), seqs)
	}
	return took, nil
}

// queryOf returns the filter as the parameters of the list.
func queryOf(f webhook.Filter) url.Values {
	q := make(url.Values)
	for name, value := range map[string]string{"source": f.Source, "type": f.Type, "key": f.OrderingKey, "id": f.ID, "text": f.Text} {
		if value != "" {
			q.Set(name, value)
		}
	}
	for _, s := range f.States {
		q.Add("state", string(s))
	}
	for name, at := range map[string]time.Time{"since": f.From, "until": f.To} {
		if !at.IsZero() {
			q.Set(name, at.UTC().Format(time.RFC3339Nano))
		}
	}
	if f.Before > 0 {
		q.Set("before", strconv.FormatInt(f.Before, 10))
	}
	return q
}

const (
	// timesSELECT is the most that a page takes, as a multiple of its SELECT, and pageMillis
	// in milliseconds.
	timesSELECT = 3
	pageMillis  = 50
)

func printLists(w io.Writer, r result) {
	env.Head(w, "Pages of the list, "+string(r.backend), "filter", "pages:", "found:", "calls of the store:", "SELECT, ms:", "page, ms:", "p90:",
		"page, times SELECT:", "quartiles:", "wanted:", "", "SELECT without a bound, ms:")
	for _, l := range r.lists {
		ratios := env.Ratios(l.inspector, l.bare)
		verdict := "reached"
		if env.Median(ratios) > timesSELECT || env.Median(l.inspector) > pageMillis {
			verdict = "missed"
		}
		fmt.Fprintf(w, "| %s | %d | %d | %d | %.2f | %.2f | %.2f | %.2f | %.2f–%.2f | ≤ %d, %d ms | %s | %.2f |\n", l.name, l.pages, l.found, l.calls,
			env.Median(l.bare), env.Median(l.inspector), env.Quantile(l.inspector, 0.9), env.Median(ratios), env.Quantile(ratios, 0.25), env.Quantile(ratios, 0.75),
			timesSELECT, pageMillis, verdict, env.Median(l.unbounded))
	}
	fmt.Fprintln(w)
}
