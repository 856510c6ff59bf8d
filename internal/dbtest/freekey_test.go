package dbtest

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/internal/dbtest/fault"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// roundTrip is the time from a remote operator to the database and back.
const roundTrip = 10 * time.Millisecond

var replays = flag.Int("replays", 2000, "number of deliveries to replay during live puts")

// A queuedContext closes queued when somebody begins to wait for its end: a Put is in
// the queue then.
type queuedContext struct {
	context.Context
	once   sync.Once
	queued chan struct{}
}

func (w *queuedContext) Done() <-chan struct{} {
	w.once.Do(func() { close(w.queued) })
	return w.Context.Done()
}

// statementsOfAPut returns the number of statements that begin after a Put is in the
// queue, behind one whose transaction runs, and before it is committed. The writer
// sends the number of Puts of each transaction to batches.
func statementsOfAPut(t *testing.T, in *sqlinbox.Inbox, plan *fault.Plan, batches chan int, key string) int {
	t.Helper()
	stopped, goOn := make(chan struct{}), make(chan struct{})
	var begun atomic.Int64
	plan.Watch(func(string) {
		if begun.Add(1) == 1 {
			close(stopped)
			<-goOn
		}
	}, nil)
	defer plan.Watch(nil, nil)
	first := make(chan error, 1)
	go func() { first <- in.Put(t.Context(), delivery("")) }()
	<-stopped
	ctx := &queuedContext{Context: t.Context(), queued: make(chan struct{})}
	answer := make(chan error, 1)
	go func() { answer <- in.Put(ctx, delivery(key)) }()
	<-ctx.queued
	close(goOn)
	n := int64(0)
	for committed := 0; committed < 2; {
		committed += <-batches
		n = begun.Load() - 1
		batches <- 0 // the writer goes on
	}
	wantNil(t, errors.Join(<-first, <-answer))
	return int(n)
}

// Each statement is a round trip. A Put of a free key waits for none of a locked key.
func TestAPutUnderAFreeKeyDoesNotWaitForLockedKeys(t *testing.T) {
	e := onPostgres(t) // SQLite has one writer
	const lockedKeys = 200
	driver, dsn := e.store(t)
	in, _, plan := openWatched(t, e, driver, dsn)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	batches := make(chan int)
	in.Observer = &sqlinbox.Observer{Batch: func(puts, _ int, _ time.Duration, _ error) {
		select {
		case batches <- puts:
			<-batches
		case <-ctx.Done():
		}
	}}
	other, db := e.reopen(t, driver, dsn)
	for i := range lockedKeys / 2 { // half of them have a head
		put(t, other, delivery(fmt.Sprint("locked", i)))
	}
	want := statementsOfAPut(t, in, plan, batches, "free")
	tx := begin(t, db)
	for i := range lockedKeys {
		must(t, other.PutTx(t.Context(), tx, delivery(fmt.Sprint("locked", i))))
	}
	var senders sync.WaitGroup
	for i := range lockedKeys {
		d := delivery(fmt.Sprint("locked", i))
		senders.Go(func() {
			for ctx.Err() == nil {
				if err := in.Put(ctx, d); err == nil {
					t.Errorf("%s was stored while its key was locked", d.UID)
				}
			}
		})
	}
	for i := range 20 {
		if n := statementsOfAPut(t, in, plan, batches, fmt.Sprint("free", i)); n > want {
			t.Errorf("try %d: %d statements began before the Put of a free key returned, want %d", i, n, want)
		}
	}
	cancel()
	senders.Wait()
}

// GitHub and Kudu call once: a call that is refused during a replay is lost. The
// operator is far away from the database.
func TestPutsSucceedDuringAReplay(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		total := *replays
		if e.Dialect == sqlinbox.SQLite {
			total /= 4
		}
		driver, dsn := e.store(t)
		operator, db, plan := openWatched(t, e, driver, dsn)
		in, _ := e.reopen(t, driver, dsn)
		var all sync.WaitGroup
		for s := range 20 {
			all.Go(func() {
				for i := s; i < total; i += 20 {
					wantNil(t, operator.Put(t.Context(), delivery(fmt.Sprint("key", i%(total/2)))))
				}
			})
		}
		all.Wait()
		run(t, db, "UPDATE hookhouse_deliveries SET state = 'dead', finished_at = 1")
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		live := 0
		for s := range 8 {
			all.Go(func() {
				for i := s; ctx.Err() == nil; i += 8 {
					// Not of ctx: what is under way is to succeed.
					if err := in.Put(t.Context(), delivery(fmt.Sprint("key", i%(total/2)))); err != nil {
						t.Errorf("a live Put returned %v", err)
					}
					if s == 0 {
						live++
					}
				}
			})
		}
		if e.Dialect == sqlinbox.PostgreSQL {
			// This is the delay of a slow network. It waits for no condition.
			plan.Watch(func(string) { time.Sleep(roundTrip) }, nil)
		}
		n, err := operator.Replay(t.Context(), webhook.Filter{States: []webhook.State{webhook.Dead}}, webhook.Note{By: "ann"})
		stop()
		all.Wait()
		if n != total || err != nil {
			t.Errorf("Replay: %d, %v; want %d", n, err, total)
		}
		if live == 0 {
			t.Error("nothing was put meanwhile")
		}
		if heads := count(t, db, "hookhouse_deliveries WHERE state = 'waiting'"); heads != total/2 {
			t.Errorf("%d heads, want %d", heads, total/2)
		}
		if n := count(t, db, "hookhouse_replays"); n != total {
			t.Errorf("%d replays are recorded, want %d", n, total)
		}
	})
}
