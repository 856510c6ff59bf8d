package ledger

import (
	"context"
	"database/sql"
	"errors"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// A trial is producers before a store, workers behind it, and the ledger.
type trial struct {
	*ledger
	store     store
	db        *sql.DB
	inbox     *sqlinbox.Inbox
	used      webhook.Inbox // by producers and workers here; inbox, or a broken one
	processes int           // of workers; zero: they are here
}

func newTrial(t *testing.T, s store) *trial {
	t.Helper()
	db, in, err := s.open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(in.Close(), db.Close()); err != nil {
			t.Error(err)
		}
	})
	if err := in.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return &trial{ledger: newLedger(), store: s, db: db, inbox: in, used: in}
}

// run sends n deliveries, waits until nothing is unfinished, and audits. What
// broke a promise is in faults.
func (tr *trial) run(t *testing.T, n int) sum {
	t.Helper()
	stop := tr.startWorkers(t)
	looked := make(chan int)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { looked <- tr.lookForOrphans(ctx) }()
	tr.produce(t.Context(), n)
	tr.wait(t)
	cancel()
	if <-looked == 0 {
		t.Error("nobody looked for deliveries behind nobody")
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

// send puts an event, in as many copies as it has, at once.
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

// put stores d as a sender does that heeds a 503: what was refused is sent
// again. SQLite refuses a writer that others have kept waiting for too long.
func (tr *trial) put(ctx context.Context, d *webhook.Delivery) error {
	for tries := 1; ; tries++ {
		err := tr.used.Put(ctx, d)
		known, isKnown := errors.AsType[*webhook.DuplicateError](err)
		switch {
		case isKnown && tries > 1 && known.UID == d.UID:
			return nil // stored, and could not say so
		case err == nil, isKnown, tries == 5:
			return err
		}
	}
}

// startWorkers starts all of them. Stop returns when they have ended.
func (tr *trial) startWorkers(t *testing.T) (stop func() error) {
	t.Helper()
	if tr.processes == 0 {
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- work(ctx, tr.used, tr.ledger, workers) }()
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
	var all []*process
	for range tr.processes {
		p, err := startProcess(tr.store, on.Addr().String(), workers/tr.processes)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	return func() (err error) {
		for _, p := range all {
			err = errors.Join(err, p.stop())
		}
		return err
	}
}

// waitAtMost is how long what is put may take to be finished after the last put.
const waitAtMost = 5 * time.Minute

// wait returns when nothing is unfinished in the database.
func (tr *trial) wait(t *testing.T) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	patience := time.After(waitAtMost)
	for {
		n, err := tr.inbox.Pending(t.Context(), 1000)
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			return
		}
		select {
		case <-tick.C:
		case <-patience:
			t.Fatalf("%d deliveries are still unfinished", n)
		}
	}
}

// lookForOrphans looks, while others work, for deliveries that are behind though
// their key has no head: nobody would ever bring them forward.
func (tr *trial) lookForOrphans(ctx context.Context) (looks int) {
	const orphans = `SELECT count(*) FROM hookhouse_deliveries b WHERE b.state = 'blocked' AND NOT EXISTS (
		SELECT 1 FROM hookhouse_deliveries h
		WHERE h.source = b.source AND h.ordering_key = b.ordering_key AND h.ordering_key <> '' AND h.state IN ('waiting', 'claimed'))`
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for ; ; looks++ {
		var n int
		err := tr.db.QueryRowContext(ctx, orphans).Scan(&n)
		tr.mu.Lock()
		switch {
		case ctx.Err() != nil:
		case err != nil:
			tr.faults.add("looking for orphans: %v", err)
		case n > 0:
			tr.faults.add("%d deliveries are behind nobody", n)
		}
		tr.mu.Unlock()
		select {
		case <-ctx.Done():
			return looks + 1
		case <-tick.C:
		}
	}
}
