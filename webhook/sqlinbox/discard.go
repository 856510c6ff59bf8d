package sqlinbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/hookhouse/hookhouse/webhook"
)

// Discard deletes finished deliveries; see [webhook.Admin]. It commits in batches as
// [Inbox.Sweep] does, and an error does not undo the batches before. It deletes none that
// another transaction holds, such as a redelivery of a dead one, and then returns an error
// with their number.
func (in *Inbox) Discard(ctx context.Context, f webhook.Filter, n webhook.Note) (int, error) {
	switch err := f.Validate(); {
	case err != nil:
		return 0, err
	case matchesAll(f):
		return 0, errors.New("sqlinbox: a discard needs a Filter that does not select all")
	}
	n, err := checkedNote(ctx, n, "a discard")
	if err != nil {
		return 0, err
	}
	d := &discard{in: in, types: make(map[string]int)}
	for page, failed := range in.finished(ctx, f) {
		if err = failed; err == nil {
			err = d.run(ctx, page)
		}
		if err != nil {
			break
		}
	}
	in.Observer.swept(ctx, d.done)
	if d.done > 0 {
		in.logger().Warn("finished deliveries are deleted: discarded",
			"count", d.done, "types", d.types, "by", n.By, "why", n.Why)
	}
	switch {
	case err != nil:
		return d.done, err
	case d.locked > 0:
		return d.done, fmt.Errorf("%w: %d deliveries were left as they are", errLeftOut, d.locked)
	case d.done > 0 || f.UID == "":
		return d.done, nil
	}
	return 0, in.stateError(ctx, f.UID)
}

// A discard is one call of Discard.
type discard struct {
	in     *Inbox
	done   int // deleted
	locked int // left because another transaction holds them
	types  map[string]int
}

// run deletes a page, in batches.
func (d *discard) run(ctx context.Context, page []finished) error {
	for batch := range slices.Chunk(page, sweepLimit) {
		types := make(map[int64]string, len(batch))
		for _, f := range batch {
			types[f.id] = f.typ
		}
		for len(types) > 0 {
			ids, err := d.delete(ctx, slices.Sorted(maps.Keys(types)))
			if err != nil {
				return err
			}
			for _, id := range ids {
				d.types[types[id]]++
				delete(types, id)
			}
			d.done += len(ids)
			if len(ids) == 0 {
				break
			}
		}
		if len(types) > 0 { // run again or deleted since they were looked up, or locked
			var n int
			if err := d.in.query(ctx, d.in.db, "locked_ids", args{"ids": idList(slices.Collect(maps.Keys(types)))}, scanOne(&n)); err != nil {
				return err
			}
			d.locked += n
		}
	}
	return nil
}

// delete deletes as many as one transaction may, and returns which.
func (d *discard) delete(ctx context.Context, ids []int64) (deleted []int64, err error) {
	err = d.in.engine.tx(ctx, func(ctx context.Context, s session) (err error) {
		deleted, err = d.in.sweep(ctx, s, "finished_ids", args{"ids": idList(ids), "bytes": sweepBytes})
		return err
	})
	return deleted, err
}

// idList are ids as an argument, in JSON.
func idList(ids []int64) string {
	text, _ := json.Marshal(ids) // numbers only: cannot fail
	return string(text)
}
