package publishcrash

import (
	"context"
	"database/sql"
	"errors"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/hookhouse/hookhouse/internal/dbtest/process"
	"github.com/hookhouse/hookhouse/internal/dbtest/wait"
	"github.com/hookhouse/hookhouse/webhook/publish"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

const (
	// maxPending is how many deliveries may be unfinished while the writers go on, so that
	// the publisher keeps up over hundreds of kills.
	maxPending = 300
	// maxPause is the maximum time between two events of a writer.
	maxPause = 20 * time.Millisecond
)

// errRollBack ends a transaction on purpose.
var errRollBack = errors.New("publishcrash: rolled back on purpose")

// writers publish events, each one after the other.
type writers struct {
	publisher *publish.Publisher
	inbox     *sqlinbox.Inbox
	life      int
	shut      atomic.Bool // there is too much unfinished
}

// start starts n writers, which end with ctx.
func (w *writers) start(ctx context.Context, group *errgroup.Group, n int) {
	if n == 0 {
		return
	}
	group.Go(func() error {
		for wait.Part(ctx, 2*maxPause) == nil {
			n, err := w.inbox.Pending(ctx, maxPending)
			w.shut.Store(err != nil || n >= maxPending)
		}
		return nil
	})
	for i := range n {
		group.Go(func() error {
			w.write(ctx, i)
			return nil
		})
	}
}

// write publishes until ctx ends, in each of the ways by turns.
func (w *writers) write(ctx context.Context, writer int) {
	for n := 1; wait.Part(ctx, maxPause) == nil; n++ {
		for w.shut.Load() {
			if wait.Part(ctx, maxPause) != nil {
				return
			}
		}
		e := event{life: w.life, writer: writer, number: n, how: [...]string{plain, committed, plain, committed, rolledBack}[n%5]}
		process.Print(sending, e.name())
		if id, err := w.publish(ctx, e); err == nil {
			process.Print(published, e.name(), id)
		}
	}
}

func (w *writers) publish(ctx context.Context, e event) (id string, err error) {
	if e.how == plain {
		return w.publisher.Publish(ctx, e.event())
	}
	err = w.inbox.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if id, err = w.publisher.PublishTx(ctx, tx, e.event()); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "INSERT INTO published (name, id) VALUES ('"+e.name()+"', '"+id+"')"); err != nil {
			return err
		}
		if e.how == rolledBack {
			return errRollBack
		}
		return nil
	})
	return id, err
}
