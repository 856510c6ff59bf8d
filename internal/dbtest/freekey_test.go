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

// distance is how far away an operator sits: to the database and back.
const distance = 10 * time.Millisecond

var replayMany = flag.Int("replays", 2000, "how many are replayed beside live puts")

// A waited is a context that tells when somebody begins to wait for its end: a
// Put is in the queue then.
type waited struct {
	context.Context
	once   sync.Once
	queued chan struct{}
}

func (w *waited) Done() <-chan struct{} {
	w.once.Do(func() { close(w.queued) })
	return w.Context.Done()
}

// statementsOfAFreePut returns how many statements are begun from when a Put is
// in the queue, behind one that is being executed, until it is committed. Batches
// is told the number of Puts of each transaction, by the writer.
func statementsOfAFreePut(t *testing.T, in *sqlinbox.Inbox, plan *fault.Plan, batches chan int, key string) int {
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
	ctx := &waited{Context: t.Context(), queued: make(chan struct{})}
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
	if err := errors.Join(<-first, <-answer); err != nil {
		t.Error(err)
	}
	return int(n)
}

// Each statement is a round trip: none of a free key's is for one that is held.
func TestAPutUnderAFreeKeyWaitsForNoHeldOne(t *testing.T) {
	if theServer == nil {
		return // SQLite has one writer
	}
	const held = 200
	e := onPostgres(theServer)
	driver, dsn := e.store(t)
	in, _, plan := watched(t, e, driver, dsn)
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
	for i := range held / 2 { // of half of them there is a head
		put(t, other, delivery(fmt.Sprint("held", i)))
	}
	want := statementsOfAFreePut(t, in, plan, batches, "free")
	tx := begin(t, db)
	for i := range held {
		if err := other.PutTx(t.Context(), tx, delivery(fmt.Sprint("held", i))); err != nil {
			t.Fatal(err)
		}
	}
	var senders sync.WaitGroup
	for i := range held {
		d := delivery(fmt.Sprint("held", i))
		senders.Go(func() {
			for ctx.Err() == nil {
				if err := in.Put(ctx, d); err == nil {
					t.Errorf("%s was stored while its key was held", d.UID)
				}
			}
		})
	}
	for i := range 20 {
		if n := statementsOfAFreePut(t, in, plan, batches, fmt.Sprint("free", i)); n > want {
			t.Errorf("try %d: %d statements were begun before a free key's Put returned, want %d", i, n, want)
		}
	}
	cancel()
	senders.Wait()
}

// GitHub and Kudu call once: a call that is refused during a replay is lost. The
// operator is not on the database's machine.
func TestNoPutIsRefusedBesideAReplay(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		total := *replayMany
		if e.dialect == sqlinbox.SQLite {
			total /= 4
		}
		driver, dsn := e.store(t)
		operator, db, plan := watched(t, e, driver, dsn)
		in, _ := e.reopen(t, driver, dsn)
		var all sync.WaitGroup
		for s := range 20 {
			all.Go(func() {
				for i := s; i < total; i += 20 {
					if err := operator.Put(t.Context(), delivery(fmt.Sprint("key", i%(total/2)))); err != nil {
						t.Error(err)
					}
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
		if e.dialect == sqlinbox.PostgreSQL {
			// What is tested is a slow line: nothing waits here for a condition.
			plan.Watch(func(string) { time.Sleep(distance) }, nil)
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
