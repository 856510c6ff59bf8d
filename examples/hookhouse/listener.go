package main

import (
	"cmp"
	"context"
	"errors"
	"io"
	"slices"
	"time"

	"github.com/hookhouse/hookhouse/examples/hookhouse/service"
	"github.com/hookhouse/hookhouse/webhook"
)

// lasting is how long a connection must last to count as one that works.
const lasting = 10 * time.Second

// A listener follows a service by its live list. Whenever it connects, it compares the list
// too, so that it misses nothing of what happened while it was not connected.
type listener struct {
	*tailer
	client *service.Client
	stream *service.Stream // nil while it is not connected
	opened time.Time
	again  service.Backoff
}

// begin remembers the newest deliveries. The older ones would take many calls.
func (l *listener) begin(ctx context.Context) error { return l.beginWindow(ctx) }

// next connects if necessary, and otherwise waits for an update.
func (l *listener) next(ctx context.Context) ([]webhook.Record, bool, error) {
	if l.stream == nil {
		return l.connect(ctx)
	}
	u, err := l.stream.Next()
	switch {
	case errors.Is(err, io.EOF):
		l.disconnect()
		return nil, false, nil
	case err != nil:
		l.disconnect()
		return nil, false, err
	}
	changed := l.heard(u.Deliveries)
	if !u.Lost && len(l.window) < tailStep {
		return changed, false, nil
	}
	more, err := l.look(ctx)
	if err != nil {
		l.disconnect() // the next connect looks again
	}
	return append(changed, more...), l.missed, err
}

// connect opens the live list and then looks at what was missed before.
func (l *listener) connect(ctx context.Context) ([]webhook.Record, bool, error) {
	if err := l.again.Wait(ctx); err != nil {
		return nil, false, err
	}
	f := l.filter
	f.Limit = 0
	stream, err := l.client.Live(ctx, f)
	if err != nil {
		// The list may be there nevertheless, for example if the service has viewers enough.
		changed, _ := l.look(ctx)
		return changed, l.missed, err
	}
	l.stream, l.opened = stream, time.Now()
	changed, err := l.look(ctx)
	if err != nil {
		l.disconnect()
	}
	return changed, l.missed, err
}

// heard returns those of an update that are new or have changed, and remembers them: the
// first update after each connect has the newest deliveries, also those that are known.
func (l *listener) heard(records []webhook.Record) (changed []webhook.Record) {
	for _, r := range records {
		uid, now := r.Delivery.UID, snapshotOf(r)
		before, known := l.window[uid]
		if !known {
			before, known = l.older[uid]
		}
		if known && before.after(now) {
			continue // the list, which was read meanwhile, was newer
		}
		if (!known || before != now) && l.matches(r) {
			changed = append(changed, r)
		}
		l.window[uid] = now
		delete(l.older, uid)
		l.newest = max(l.newest, r.Seq)
	}
	slices.SortFunc(changed, func(a, b webhook.Record) int { return cmp.Compare(a.Seq, b.Seq) })
	return changed
}

func (l *listener) disconnect() {
	if l.stream != nil {
		l.stream.Close()
		l.stream = nil
		if time.Since(l.opened) > lasting {
			l.again.Reset()
		}
	}
}

func (l *listener) close() { l.disconnect() }
