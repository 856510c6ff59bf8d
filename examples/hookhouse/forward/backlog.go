package forward

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/hookhouse/hookhouse/examples/hookhouse/service"
	"github.com/hookhouse/hookhouse/webhook"
)

const (
	// maxWaiting is how many deliveries are remembered that wait to be sent.
	maxWaiting = 500
	// maxSeen is how many are remembered that were.
	maxSeen = 20_000
	// overlap is how many Seqs below the highest one are read again: a database may show a
	// delivery after one with a higher Seq.
	overlap = 200
)

// A backlog finds the deliveries of a service that were not sent yet.
//
// It reads the list down to the highest Seq that it has reached. A replay gives a delivery a
// new Seq, so what was seen is remembered, by UID, up to maxSeen. Of older ones it is known
// when the last was received, and a replay of one that was not received later is not sent.
//
// The Seqs of an inbox in memory begin again when its program starts. The backlog notices
// that, since a delivery that it has seen is there no more, and then reads the whole list.
type backlog struct {
	service *service.Client
	filter  webhook.Filter // Source, Type, OrderingKey, From

	high      int64     // the Seq that was reached
	mark      mark      // the newest delivery at the last look
	forgotten time.Time // those received until then were sent, or are not to be sent
	whole     bool      // the next look reads the whole list

	mu    sync.Mutex
	seen  map[string]bool
	order []seenOne // of seen, oldest first
}

type mark struct {
	uid string
	seq int64
}

type seenOne struct {
	uid        string
	receivedAt time.Time
}

// begin decides where to begin: at From if that is set, and otherwise with what comes now.
func (b *backlog) begin(ctx context.Context) error {
	b.seen = make(map[string]bool)
	if !b.filter.From.IsZero() {
		b.whole = true
		b.forgotten = b.filter.From.Add(-1)
		_, err := b.newest(ctx) // the fault of a service that cannot be used is found now
		return err
	}
	for r, err := range b.service.All(ctx, webhook.Filter{Limit: overlap}) {
		if err != nil {
			return err
		}
		if b.mark.uid == "" {
			b.mark = mark{r.Delivery.UID, r.Seq}
		}
		b.add(r.Delivery)
		b.high = max(b.high, r.Seq)
		b.forgotten = later(b.forgotten, r.Delivery.ReceivedAt)
	}
	return nil
}

// newest returns the newest delivery of all, or none.
func (b *backlog) newest(ctx context.Context) (m mark, err error) {
	for r, err := range b.service.All(ctx, webhook.Filter{Limit: 1}) {
		if err != nil {
			return m, err
		}
		m = mark{r.Delivery.UID, r.Seq}
	}
	return m, nil
}

// A look is what a backlog has found.
type look struct {
	waiting []webhook.Record // oldest first
	more    bool             // there are others after these
	top     mark
}

// look returns the oldest deliveries that were not sent. The caller calls reached when it has
// sent them.
func (b *backlog) look(ctx context.Context) (look, error) {
	l, err := b.read(ctx)
	if err != nil || b.whole {
		return l, err
	}
	// After the list was read: the service may have started again before.
	if b.whole, err = b.restarted(ctx); err != nil || !b.whole {
		return l, err
	}
	return b.read(ctx)
}

// read is look for a service that has not started again.
func (b *backlog) read(ctx context.Context) (l look, err error) {
	if l.top, err = b.newest(ctx); err != nil {
		return l, err
	}
	whole := b.whole || l.top.seq < b.high
	f := b.filter
	if whole {
		f.From = later(f.From, b.forgotten)
	} else {
		f.After = max(b.high-overlap, 0)
	}
	var found []webhook.Record // newest first
	for r, err := range b.service.All(ctx, f) {
		if err != nil {
			return l, err
		}
		again := whole || r.Replayed || r.Revived > 0
		if !b.isNew(r.Delivery.UID) || again && !r.Delivery.ReceivedAt.After(b.forgotten) {
			continue
		}
		if found = append(found, r); len(found) == 2*maxWaiting {
			found, l.more = slices.Clone(found[maxWaiting:]), true
		}
	}
	if len(found) > maxWaiting {
		found, l.more = found[len(found)-maxWaiting:], true
	}
	slices.Reverse(found)
	l.waiting = found
	return l, nil
}

// restarted reports whether the delivery that was the newest is there no more. It may have
// another Seq, by a replay.
func (b *backlog) restarted(ctx context.Context) (bool, error) {
	if b.mark.uid == "" {
		return false, nil
	}
	lost := true
	for r, err := range b.service.All(ctx, webhook.Filter{Before: b.mark.seq + 1, Limit: 1}) {
		if err != nil {
			return false, err
		}
		lost = mark{r.Delivery.UID, r.Seq} != b.mark
	}
	if !lost {
		return false, nil
	}
	_, err := b.service.Get(ctx, b.mark.uid)
	if errors.Is(err, webhook.ErrNotFound) {
		return true, nil
	}
	return false, err
}

// reached remembers that all of a look was sent.
func (b *backlog) reached(l look) {
	b.whole = false
	b.high, b.mark = l.top.seq, l.top
	if l.more && len(l.waiting) > 0 {
		last := l.waiting[len(l.waiting)-1]
		b.high = last.Seq
		b.mark = mark{last.Delivery.UID, last.Seq}
	}
}

// add remembers a delivery that is sent, or not to be sent.
func (b *backlog) add(d *webhook.Delivery) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.seen[d.UID] {
		return
	}
	b.seen[d.UID] = true
	b.order = append(b.order, seenOne{d.UID, d.ReceivedAt})
	if len(b.order) > maxSeen {
		delete(b.seen, b.order[0].uid)
		b.forgotten = later(b.forgotten, b.order[0].receivedAt)
		b.order = b.order[1:]
	}
}

// isNew reports whether a delivery was not seen. It may be called concurrently.
func (b *backlog) isNew(uid string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return !b.seen[uid]
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}
