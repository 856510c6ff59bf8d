package dbtest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// A busyInbox takes deliveries, each sender with an ordering key of its own, while a
// Worker handles them. One that is claimed stays so until the end, and blocks another.
type busyInbox struct {
	in      *sqlinbox.Inbox
	stopped chan struct{}
	room    chan struct{} // has one for each delivery that is not handled yet
	mu      sync.Mutex
	begun   map[string]bool // by UID, before Put
	acked   []string        // UIDs, after Put
	failed  map[string]bool // by UID, once
}

func newBusyInbox(in *sqlinbox.Inbox) *busyInbox {
	return &busyInbox{
		in: in, stopped: make(chan struct{}), room: make(chan struct{}, 40),
		begun: make(map[string]bool), failed: make(map[string]bool),
	}
}

// slowKey is the ordering key of the delivery that stays claimed.
const slowKey = "slow"

// start runs senders and a Worker until stop is called.
func (b *busyInbox) start(t *testing.T) (stop func()) {
	for n := range 2 {
		must(t, b.send(t.Context(), b.in, slowKey, n))
	}
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	for sender := range 4 {
		all.Go(func() {
			for n := 0; ; n++ {
				select {
				case b.room <- struct{}{}: // the Worker may be slower
				case <-ctx.Done():
					return
				}
				if err := b.send(t.Context(), b.in, fmt.Sprint("key", sender), n); err != nil {
					t.Errorf("Put returned %v", err)
					return
				}
			}
		})
	}
	w := webhook.NewWorker(b.in, webhook.HandlerFunc(b.handle))
	w.Concurrency, w.Retry, w.Logger = 3, webhook.Backoff{First: time.Millisecond}, slog.New(slog.DiscardHandler)
	all.Go(func() { wantNil(t, w.Run(ctx)) })
	return sync.OnceFunc(func() {
		cancel()
		close(b.stopped)
		all.Wait()
	})
}

func (b *busyInbox) send(ctx context.Context, in *sqlinbox.Inbox, key string, n int) error {
	d := delivery(key, fmt.Sprintf("%s-%d", key, n))
	d.ID = fmt.Sprint(n)
	d.Body = []byte(strings.Repeat("x", 2000))
	b.mu.Lock()
	b.begun[d.UID] = true
	b.mu.Unlock()
	if err := in.Put(ctx, d); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.acked = append(b.acked, d.UID)
	return nil
}

// handle fails once for one delivery in ten, so that some wait for their retry.
func (b *busyInbox) handle(_ context.Context, d *webhook.Delivery) error {
	if d.OrderingKey == slowKey {
		<-b.stopped
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if strings.HasSuffix(d.ID, "7") && !b.failed[d.UID] {
		b.failed[d.UID] = true
		return errors.New("not yet")
	}
	select {
	case <-b.room:
	default: // it runs again because its claim was lost
	}
	return nil
}

func (b *busyInbox) acknowledged() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.acked)
}

// texts returns the only column of a query.
func texts(t *testing.T, db *sql.DB, query string) (all []string) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	must(t, err)
	defer func() { must(t, rows.Close()) }()
	for rows.Next() {
		var text string
		must(t, rows.Scan(&text))
		all = append(all, text)
	}
	must(t, rows.Err())
	return all
}
