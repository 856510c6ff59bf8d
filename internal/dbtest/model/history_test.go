package model

import (
	"errors"
	"fmt"
	"sync"

	"github.com/hookhouse/hookhouse/webhook"
)

// A book is what the players were told. It has a clock of its own, which goes up
// with each entry that begins or ends.
type book struct {
	mu      sync.Mutex
	clock   int
	entries []*entry
}

// An entry is one call and what came of it.
type entry struct {
	player *player
	op     op
	began  int
	ended  int // zero: it has not returned
	err    error
	put    *parcel         // for a put
	claims []webhook.Claim // for a claim
	uid    string          // for what is about one
	fence  int64
	state  webhook.State // that came of a settle
	n      int           // for a sweep and a replay
	known  *webhook.DuplicateError
}

func (e *entry) about(c webhook.Claim) { e.uid, e.fence = c.Delivery.UID, c.Fence }

func (b *book) begin(p *player, o op) *entry {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.clock++
	e := &entry{player: p, op: o, began: b.clock}
	b.entries = append(b.entries, e)
	return e
}

// end writes down what came of e, and says it.
func (b *book) end(e *entry, err error) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.clock++
	e.ended, e.err = b.clock, err
	errors.As(err, &e.known)
	switch {
	case err != nil:
		return err.Error()
	case e.op.verb == claiming:
		text := "nothing"
		for i, c := range e.claims {
			if i == 0 {
				text = ""
			}
			text += fmt.Sprintf("%s (attempt %d, fence %d) ", c.Delivery.UID, c.Attempt, c.Fence)
		}
		return text
	case e.op.verb == sweeping, e.op.verb == replaying:
		return fmt.Sprint(e.n)
	case e.state != "":
		return e.uid + " is " + string(e.state)
	default:
		return "done"
	}
}

// overlaps reports whether the two may have been at the same time.
func (e *entry) overlaps(other *entry) bool { return e.began < other.ended && other.began < e.ended }

// settles reports whether e settles a claim.
func (e *entry) settles() bool {
	return e.op.verb == settling || e.op.verb == settlingTx || e.op.verb == inTx
}

// wanted is what e settles a claim as.
func (e *entry) wanted() webhook.State {
	if e.op.verb == inTx {
		return webhook.Done
	}
	return e.op.outcome.State
}

// final reports whether e settled a claim for good.
func (e *entry) final() bool { return e.settles() && e.err == nil && e.wanted().Final() }
