package rabbitmq

import (
	"context"
	"errors"
	"slices"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

const (
	// idleCheck is how often a sorter looks whether more messages come.
	idleCheck = 50 * time.Millisecond
	// maxSort is how long a sorter waits for the next message if the server takes no marker, and
	// for a marker that the server has taken.
	maxSort = 30 * time.Second
	// markTimeout limits how long the queue may take to confirm a marker.
	markTimeout = 10 * time.Second
	// markAgain is the wait after a marker that was refused.
	markAgain = time.Second
)

// A sorter collects the messages that come again, because the Consumer that had them has lost
// them, and puts them in the order in which they were published. The server gives them out in
// any order, but before all others. So they are complete when another message comes. If none
// does, the sorter publishes one, a marker. The number of messages that are ready in the queue
// says nothing: the server has given out the last ones before they arrive. If the session has
// as many messages as it gets, no marker can come, and the sorter asks for a session that gets more.
type sorter struct {
	s       *session
	mark    func(ctx context.Context) error // publishes a marker
	waiting []*held
	last    time.Time  // when the last one came
	seen    int        // messages at the last check
	marking chan error // gets what comes of the marker under way; nil if there is none
	next    time.Time  // when the next marker may be published
	refused bool       // the server has answered to the last marker and not taken it
	silent  time.Time  // since when markers get no answer; zero if they do
	warned  bool       // of that
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
	r.waiting, r.seen, r.next, r.refused = nil, 0, time.Time{}, false
	for _, h := range sorted {
		r.s.put(h)
	}
}

// check publishes a marker when no more messages come. It returns errMore if there may be more
// than this session can get.
func (r *sorter) check(ctx context.Context) error {
	r.s.c.mu.Lock()
	defer r.s.c.mu.Unlock()
	n, full, late := len(r.waiting), r.outstanding() >= r.s.prefetch, time.Since(r.last) > maxSort
	if n == 0 {
		return nil
	}
	r.answered()
	switch {
	case n != r.seen:
		r.seen = n
	case full && r.s.prefetch < maxPrefetch:
		return errMore
	case late && (full || r.refused):
		r.flush()
	case !full && r.marking == nil && !time.Now().Before(r.next):
		r.marking = make(chan error, 1)
		go func(result chan<- error) {
			ctx, cancel := context.WithTimeout(ctx, markTimeout)
			defer cancel()
			result <- r.mark(ctx)
		}(r.marking)
	}
	return nil
}

// answered reads what came of the marker. Without an answer the queue has no leader. Then it gives
// out nothing either, so what was collected waits for it, however long.
func (r *sorter) answered() {
	var err error
	select {
	case err = <-r.marking:
		r.marking = nil
	default:
		return
	}
	now := time.Now()
	if r.refused = err != nil && isAnswer(err); r.refused {
		r.next = now.Add(markAgain)
	}
	switch {
	case err == nil:
		r.next = now.Add(maxSort)
		fallthrough
	case r.refused:
		r.silent = time.Time{}
	case r.silent.IsZero():
		r.silent = now
	case !r.warned && now.Sub(r.silent) > maxSort:
		r.warned = true
		r.s.c.logger().Warn("messages that come again wait until the queue has a leader, so that they are in order", "queue", r.s.c.queue, "messages", len(r.waiting))
	}
}

// isAnswer reports whether err is what the server says to a message, or to who sends it.
func isAnswer(err error) bool {
	return hasCode(err, amqp.AccessRefused) || !errors.Is(err, ErrConnection) && !errors.Is(err, context.DeadlineExceeded)
}
