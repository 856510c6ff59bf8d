package ledger_test

import (
	"context"
	"database/sql"
	"errors"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/internal/dbtest/engine"
	"github.com/hookhouse/hookhouse/internal/dbtest/process"
	"github.com/hookhouse/hookhouse/internal/dbtest/wait"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// A trial is producers, a store, workers and the account of all three.
type trial struct {
	*account
	store     engine.Store
	db        *sql.DB
	inbox     *sqlinbox.Inbox
	used      webhook.Inbox // by producers and workers of this process; inbox, or a broken one
	processes int           // of workers; zero means that this process runs them
}

func newTrial(t *testing.T, s engine.Store) *trial {
	t.Helper()
	in, db := s.Inbox(t)
	limitConns(db, s)
	return &trial{account: newAccount(), store: s, db: db, inbox: in, used: in}
}

// limitConns leaves connections of the server to the other processes.
func limitConns(db *sql.DB, s engine.Store) {
	if s.Dialect() == sqlinbox.PostgreSQL {
		db.SetMaxOpenConns(12)
		db.SetMaxIdleConns(12)
	}
}

// run sends n deliveries, waits until nothing is unfinished, and audits the
// account. Broken promises are in its faults.
func (tr *trial) run(t *testing.T, n int) sum {
	t.Helper()
	stop := tr.startWorkers(t)
	checks := make(chan int)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { checks <- tr.checkHeads(ctx) }()
	tr.produce(t.Context(), n)
	tr.wait(t)
	cancel()
	if <-checks == 0 {
		t.Error("heads were never checked")
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
	total, err := tr.audit(t.Context(), tr.inbox, tr.db)
	if err != nil {
		t.Fatal(err)
	}
	return total
}

// produce sends n deliveries from all producers at once.
func (tr *trial) produce(ctx context.Context, n int) {
	var all sync.WaitGroup
	for p := range producers {
		all.Go(func() {
			for _, e := range plan(p, (p+1)*n/producers-p*n/producers) {
				tr.send(ctx, e)
			}
		})
	}
	all.Wait()
}

// send puts an event, and its copy at the same time.
func (tr *trial) send(ctx context.Context, e event) {
	tr.sending(e)
	var all sync.WaitGroup
	for i := range 1 + number(e.twice) {
		all.Go(func() {
			d := e.delivery(i)
			tr.answered(e, d.UID, tr.put(ctx, d))
		})
	}
	all.Wait()
}

// put stores d as a sender does that repeats a call after a 503: SQLite refuses a
// writer that has waited too long for others.
func (tr *trial) put(ctx context.Context, d *webhook.Delivery) error {
	for tries := 1; ; tries++ {
		err := tr.used.Put(ctx, d)
		known, isKnown := errors.AsType[*webhook.DuplicateError](err)
		switch {
		case isKnown && tries > 1 && known.UID == d.UID:
			return nil // an earlier try stored it, and failed to say so
		case err == nil, isKnown, tries == 5:
			return err
		}
	}
}

// startWorkers starts the workers. Stop returns when they have ended.
func (tr *trial) startWorkers(t *testing.T) (stop func() error) {
	t.Helper()
	if tr.processes == 0 {
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- work(ctx, tr.used, tr.account, workers) }()
		return func() error {
			cancel()
			return <-done
		}
	}
	on, err := net.Listen("tcp", "127.0.0.1:0")
	if err == nil {
		err = tr.serve(on)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = on.Close() })
	var all []*process.Process
	for range tr.processes {
		p, err := process.Start(t.Context(), workerConfig{tr.store, on.Addr().String(), workers / tr.processes}, nil)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	return func() (err error) {
		for _, p := range all {
			err = errors.Join(err, p.Stop(context.Background()))
		}
		return err
	}
}

// wait returns when nothing is unfinished in the database.
func (tr *trial) wait(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	left := 0
	err := wait.Until(ctx, "everything is finished", func() bool {
		var err error
		if left, err = tr.inbox.Pending(t.Context(), 1000); err != nil {
			t.Fatal(err)
		}
		return left == 0
	})
	if err != nil {
		t.Fatalf("%v: %d deliveries are left", err, left)
	}
}

// checkHeads looks, while others work, for blocked deliveries whose key has no
// head: nothing would ever unblock them. It returns how often it looked.
func (tr *trial) checkHeads(ctx context.Context) (checks int) {
	const headless = `SELECT count(*) FROM hookhouse_deliveries b WHERE b.state = 'blocked' AND NOT EXISTS (
		SELECT 1 FROM hookhouse_deliveries h
		WHERE h.source = b.source AND h.ordering_key = b.ordering_key AND h.ordering_key <> '' AND h.state IN ('waiting', 'claimed'))`
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for ; ; checks++ {
		var n int
		err := tr.db.QueryRowContext(ctx, headless).Scan(&n)
		switch {
		case ctx.Err() != nil:
		case err != nil:
			tr.faultf("looking for heads: %v", err)
		case n > 0:
			tr.faultf("%d deliveries are blocked by nothing", n)
		}
		select {
		case <-ctx.Done():
			return checks + 1
		case <-tick.C:
		}
	}
}
