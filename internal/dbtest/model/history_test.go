package model

import (
	"errors"
	"fmt"
	"sync"

	"github.com/hookhouse/hookhouse/webhook"
)

// A history is the calls of all clients with their results. Its clock advances when
// a call begins or ends.
type history struct {
	mu    sync.Mutex
	clock int
	calls []*call
}

// A call is one call of an inbox and its result.
type call struct {
	client    *client
	op        op
	began     int
	ended     int // zero: it has not returned
	err       error
	put       *spec           // for a put
	claims    []webhook.Claim // for a claim
	uid       string          // for what is about one
	fence     int64
	state     webhook.State // that came of a settle
	n         int           // for a sweep, a discard and a replay
	duplicate *webhook.DuplicateError
}

func (e *call) concerns(c webhook.Claim) { e.uid, e.fence = c.Delivery.UID, c.Fence }

func (b *history) begin(p *client, o op) *call {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.clock++
	e := &call{client: p, op: o, began: b.clock}
	b.calls = append(b.calls, e)
	return e
}

// end notes the result of e and returns it as text.
func (b *history) end(e *call, err error) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.clock++
	e.ended, e.err = b.clock, err
	errors.As(err, &e.duplicate)
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
	case e.deletes(), e.op.verb == replaying:
		return fmt.Sprint(e.n)
	case e.state != "":
		return e.uid + " is " + string(e.state)
	default:
		return "done"
	}
}

// overlaps reports whether the two calls may have run at the same time.
func (e *call) overlaps(other *call) bool { return e.began < other.ended && other.began < e.ended }

// settles reports whether e settles a claim.
func (e *call) settles() bool {
	return e.op.verb == settling || e.op.verb == settlingTx || e.op.verb == inTx
}

// wanted is the state that e settles a claim with.
func (e *call) wanted() webhook.State {
	if e.op.verb == inTx {
		return webhook.Done
	}
	return e.op.outcome.State
}

// final reports whether e settled a claim for good.
func (e *call) final() bool { return e.settles() && e.err == nil && e.wanted().Final() }
