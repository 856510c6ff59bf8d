package rabbitmq

import (
	"context"
	"slices"
	"time"
)

const (
	// idleCheck is how often a sorter looks whether more messages come.
	idleCheck = 50 * time.Millisecond
	// maxSort is how long a sorter waits for messages that do not come.
	maxSort = 30 * time.Second
)

// A sorter collects the messages that come again, because the Consumer that had them has lost
// them, and puts them in the order in which they were published. The server gives them
// out in any order, but before all others. So they are complete when another message comes or
// when the queue has none left. If neither is so and the server gives out no more, the sorter
// asks for another session that gets more.
type sorter struct {
	s       *session
	ready   func(ctx context.Context) (int, error) // how many messages the queue could give out
	waiting []*held
	last    time.Time // when the last one came
	seen    int       // messages at the last check
	empty   int       // checks in a row that found the queue empty
}

// add collects a message. The caller holds c.mu.
func (r *sorter) add(h *held) {
	r.waiting = append(r.waiting, h)
	r.last = time.Now()
}

// outstanding returns the number of messages that are not acknowledged. The caller holds c.mu.
func (r *sorter) outstanding() int {
	n := len(r.s.held) + r.s.buried + len(r.waiting)
	for _, more := range r.s.waiting {
		n += len(more)
	}
	return n
}

// flush makes what was collected claimable, in order. The caller holds c.mu.
func (r *sorter) flush() {
	if len(r.waiting) == 0 {
		return
	}
	slices.SortStableFunc(r.waiting, (*held).before)
	sorted := r.waiting
	r.waiting, r.empty, r.seen = nil, 0, 0
	for _, h := range sorted {
		r.s.put(h)
	}
}

// check ends the collection when no more messages come. It returns errMore if there may be
// more than this session can get.
func (r *sorter) check(ctx context.Context) error {
	r.s.c.mu.Lock()
	n, last, full := len(r.waiting), r.last, r.outstanding() >= r.s.prefetch
	r.s.c.mu.Unlock()
	if n == 0 {
		return nil
	}
	if n != r.seen {
		r.seen, r.empty = n, 0
		return nil
	}
	ready, err := r.ready(ctx)
	switch {
	case err != nil:
		return err
	case ready == 0:
		r.empty++
	case full && r.s.prefetch < maxPrefetch:
		return errMore
	default:
		r.empty = 0
	}
	if r.empty >= 2 || time.Since(last) > maxSort {
		r.s.c.mu.Lock()
		defer r.s.c.mu.Unlock()
		r.flush()
	}
	return nil
}
