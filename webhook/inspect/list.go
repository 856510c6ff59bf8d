package inspect

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

const (
	// firstWindow is how far apart the Seqs are between which a page looks first. Each
	// further window is twice as wide, and a page has at most maxWindows: it looks at no
	// more than 31 000 deliveries.
	firstWindow = 1000
	maxWindows  = 5
	// maxLook is how long a page looks before it returns what it has found.
	maxLook = time.Second
)

// A list is a page of a list.
type list struct {
	records []webhook.Record
	// next is Before of the next page, and zero if there is none.
	next int64
	// partial is true if the page ends because it has looked at enough deliveries, and not
	// because it is full. It looked back to lookedBack, when the next one was received.
	partial    bool
	lookedBack time.Time
}

// shownList reads the page that a filter with a Limit selects, with what a list shows.
func (in *Inspector) shownList(ctx context.Context, f webhook.Filter) (list, error) {
	f.Unsigned = true
	return in.list(ctx, f)
}

// list reads the page that a filter with a Limit selects. What it reads is bounded, however
// few deliveries match.
func (in *Inspector) list(ctx context.Context, f webhook.Filter) (list, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	if !isNarrow(f) {
		return in.fullPage(ctx, f)
	}
	var l list
	started, width := time.Now(), int64(firstWindow)
	top := f.Before - 1 // the first window begins there, also if that delivery was deleted
	if f.Before == 0 {
		var err error
		if top, err = in.top(ctx); err != nil || top == 0 {
			return l, err
		}
	}
	for n := 1; ; n++ {
		window := f
		window.After, window.Limit = max(top-width, 0), f.Limit+1-len(l.records)
		if n > 1 {
			window.Before = top + 1 // the first one has all that is above
		}
		found, err := in.read(ctx, window)
		if err != nil {
			return list{}, err
		}
		end := window.After
		if len(found) == window.Limit {
			end = found[len(found)-1].Seq - 1 // there may be more in the window
		}
		hidden := func(r webhook.Record) bool { return !hasText(r, f.Text) }
		if l.records = append(l.records, slices.DeleteFunc(found, hidden)...); len(l.records) > f.Limit {
			l.records = l.records[:f.Limit]
			l.next = l.records[f.Limit-1].Seq
			return l, nil
		}
		// If a window has none, the next delivery may be far below: those between may have been
		// deleted.
		if end == 0 {
			return l, nil
		}
		last := n == maxWindows || time.Since(started) > maxLook
		top = end
		if len(found) == 0 || last {
			next, err := in.newest(ctx, end+1)
			if err != nil || next == nil {
				return l, err
			}
			top = next.Seq
			if last {
				l.next, l.partial, l.lookedBack = top+1, true, next.Delivery.ReceivedAt
				return l, nil
			}
		}
		width *= 2
	}
}

// topFor is how old the Seq of the newest delivery may be by which a page decides how far down it
// looks first. What is stored since is above, and the page has it.
const topFor = 2 * time.Second

// A topSeq is the highest Seq that was seen, and when.
type topSeq struct {
	mu  sync.Mutex
	seq int64
	at  time.Time
}

// see remembers the newest of all deliveries, as a list had it that began at the newest one.
func (s *topSeq) see(list []webhook.Record) {
	if len(list) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seq, s.at = list[0].Seq, time.Now()
}

// top returns about the highest Seq, and zero if there is no delivery.
func (in *Inspector) top(ctx context.Context) (int64, error) {
	in.seen.mu.Lock()
	seq, at := in.seen.seq, in.seen.at
	in.seen.mu.Unlock()
	if seq > 0 && time.Since(at) < topFor {
		return seq, nil
	}
	newest, err := in.newest(ctx, 0)
	if err != nil || newest == nil {
		return 0, err
	}
	in.seen.see([]webhook.Record{*newest})
	return newest.Seq, nil
}

// fullPage reads a page whose filter every delivery matches.
func (in *Inspector) fullPage(ctx context.Context, f webhook.Filter) (l list, err error) {
	more := f
	more.Limit++
	if l.records, err = in.read(ctx, more); err == nil && f.Before == 0 {
		in.seen.see(l.records)
	}
	if err == nil && len(l.records) > f.Limit {
		l.records = l.records[:f.Limit]
		l.next = l.records[f.Limit-1].Seq
	}
	return l, err
}

// newest returns the newest delivery with a lower Seq than before, or of all if before is
// zero. It returns nil if there is none.
func (in *Inspector) newest(ctx context.Context, before int64) (*webhook.Record, error) {
	found, err := in.read(ctx, webhook.Filter{Before: before, Limit: 1})
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return &found[0], nil
}

// read returns what All does. After an error it returns nothing: half a page would look
// like a whole one.
func (in *Inspector) read(ctx context.Context, f webhook.Filter) ([]webhook.Record, error) {
	var records []webhook.Record
	for r, err := range in.store.All(ctx, f) {
		if err != nil {
			return nil, err
		}
		records = append(records, r)
	}
	return records, nil
}

const (
	// neighborCount is how many neighbors are shown on each side, and neighborWindows how
	// far apart the Seqs are between which they are looked for, one after the other.
	neighborCount = 5
)

var neighborWindows = []int64{200, 2000, 20_000}

// Neighbors are deliveries of the same ordering key, near a delivery. Both are newest
// first.
type neighbors struct {
	newer, older []webhook.Record
	// partial is true if one side was not looked at to its end.
	partial bool
}

// neighbors returns the deliveries of the ordering key of r that come next to it.
func (in *Inspector) neighbors(ctx context.Context, r webhook.Record) (n neighbors, err error) {
	if r.Delivery.OrderingKey == "" {
		return n, nil
	}
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	top, err := in.newest(ctx, 0)
	if err != nil || top == nil {
		return n, err
	}
	f := webhook.Filter{Source: r.Delivery.Source, OrderingKey: r.Delivery.OrderingKey, Unsigned: true}
	widest := neighborWindows[len(neighborWindows)-1]
	for _, width := range neighborWindows {
		f.After, f.Before = r.Seq, r.Seq+width+1
		if n.newer, err = in.read(ctx, f); err != nil {
			return n, err
		}
		if len(n.newer) >= neighborCount || f.Before > top.Seq {
			break
		}
	}
	n.partial = len(n.newer) < neighborCount && f.Before <= top.Seq
	n.newer = n.newer[max(0, len(n.newer)-neighborCount):]
	f.Before, f.After, f.Limit = r.Seq, max(r.Seq-widest, 0), neighborCount
	n.older, err = in.read(ctx, f)
	n.partial = n.partial || len(n.older) < neighborCount && f.After > 0
	return n, err
}
