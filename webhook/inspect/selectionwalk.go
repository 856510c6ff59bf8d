package inspect

import (
	"context"
	"slices"

	"github.com/hookhouse/hookhouse/webhook"
)

const (
	// selectionPage is how many deliveries of a selection are in memory. They are looked for
	// between two Seqs that are from selectionPage to widestWindow apart.
	selectionPage = 200
	widestWindow  = 1 << 18
)

// A walk reads the deliveries of a selection, oldest first, so that those of an ordering key
// run again in their order. It holds a page of them in memory.
type walk struct {
	in    *Inspector
	of    selection
	after int64            // all up to this Seq have been read
	width int64            // of the next window
	page  []webhook.Record // newest first
}

func (in *Inspector) walk(s selection) *walk { return &walk{in: in, of: s, width: countPage} }

// next returns the next delivery, and nil at the end.
func (w *walk) next(ctx context.Context) (*webhook.Record, error) {
	for len(w.page) == 0 {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if w.after >= w.of.filter.Before-1 {
			return nil, nil
		}
		if err := w.read(ctx); err != nil {
			return nil, err
		}
	}
	last := len(w.page) - 1
	r := w.page[last]
	w.page = w.page[:last]
	return &r, nil
}

// read reads the next window. If it has too many deliveries, the next one is narrower, and
// begins at the same place.
func (w *walk) read(ctx context.Context) error {
	f := w.of.filter
	end := min(w.after+w.width+1, f.Before)
	if w.of.seqs != nil {
		i, _ := slices.BinarySearch(w.of.seqs, w.after+1)
		if i == len(w.of.seqs) {
			w.after = f.Before
			return nil
		}
		w.after, end = w.of.seqs[i]-1, w.of.seqs[i]+1
	}
	f.After, f.Before, f.Limit = w.after, end, selectionPage+1
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	found, err := w.in.read(ctx, f)
	switch {
	case err != nil:
		return err
	case len(found) > selectionPage:
		w.width = max(w.width/8, selectionPage)
		return nil
	case len(found) < selectionPage/4:
		w.width = min(w.width*2, widestWindow)
	}
	w.after = end - 1
	w.page = slices.DeleteFunc(found, func(r webhook.Record) bool { return !hasText(r, f.Text) })
	return nil
}
