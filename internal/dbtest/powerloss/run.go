package powerloss

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/driver"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// database is the name of the file.
const database = "inbox.db"

// A Run stores and settles deliveries while the power fails again and again.
type Run struct {
	Journal string // journal_mode; zero means WAL
	Sync    string // synchronous, when the inbox checks it; zero means FULL
	Weaken  string // synchronous of every connection after that; zero means unchanged
	// IgnoreSync is that of the Disk.
	IgnoreSync func(name string) bool
	Receive    bool   // store through a Receiver over HTTP, not by Put
	Senders    int    // number of concurrent senders
	Deliveries int    // of each sender
	Body       int    // size of the largest body in bytes
	Loss       Loss   // at each cut
	CutEvery   int    // n: also cut before every n-th change to the disk, on average; zero means never
	Drain      int    // n: drain every n-th image, on average; zero means none
	Seed       uint64 // of everything that is drawn
}

// A run is a Run in progress.
type run struct {
	Run
	disk   *Disk
	inbox  *sqlinbox.Inbox
	ledger ledger

	mu      sync.Mutex
	chance  *rand.Rand
	report  Report
	changes int
	failed  error // why an image could not be examined
}

// Do executes the run. Faults of the images are in the Report, not in the error.
func (cfg Run) Do(ctx context.Context) (*Report, error) {
	d, err := NewDisk(nil)
	if err != nil {
		return nil, err
	}
	defer func() { _ = d.Close() }()
	r := &run{Run: cfg, disk: d, chance: rand.New(rand.NewPCG(cfg.Seed, 1))}
	r.ledger = ledger{bodies: make(map[string]string), settled: make(map[string]bool)}
	d.IgnoreSync, d.Watch = cfg.IgnoreSync, r.beforeChange
	db, err := r.open(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = db.Close() }()
	err = errors.Join(r.work(ctx), r.inbox.Close(), r.failed)
	r.report.Checkpoints = d.Checkpoints()
	return &r.report, err
}

// checkpointOften makes a short run reach checkpoints: the inbox makes one each 1000
// pages.
const checkpointOften = "PRAGMA wal_autocheckpoint = 250"

// migrate makes the tables on connections of its own, which the inbox closes.
func migrate(ctx context.Context, dsn string) error {
	db, err := driver.Open(dsn)
	if err != nil {
		return err
	}
	in := sqlinbox.New(db, sqlinbox.SQLite)
	return errors.Join(in.Migrate(ctx), in.Close(), db.Close())
}

// open returns the database after the inbox has checked it.
func (r *run) open(ctx context.Context) (*sql.DB, error) {
	var conns []*sqlite3.Conn // none is in use while it is weakened
	remember := func(c *sqlite3.Conn) error {
		conns = append(conns, c)
		return nil
	}
	dsn := r.disk.DSN(database, "_pragma=busy_timeout(10000)", "_txlock=immediate",
		"_pragma=journal_mode("+cmp.Or(r.Journal, "WAL")+")", "_pragma=synchronous("+cmp.Or(r.Sync, "FULL")+")")
	if err := migrate(ctx, dsn); err != nil {
		return nil, err
	}
	db, err := driver.Open(dsn, remember)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(2) // the writer and one that reads
	r.inbox = sqlinbox.New(db, sqlinbox.SQLite)
	r.inbox.Observer = &sqlinbox.Observer{Batch: func(puts, _ int, _ time.Duration, _ error) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.report.Batch = max(r.report.Batch, puts)
	}}
	err = r.inbox.Check(ctx)
	for _, c := range conns {
		if err == nil {
			err = c.Exec(checkpointOften)
		}
		if err == nil && r.Weaken != "" {
			err = c.Exec("PRAGMA synchronous = " + r.Weaken)
		}
	}
	if err != nil {
		return nil, errors.Join(err, r.inbox.Close(), db.Close())
	}
	return db, nil
}

// work stores and settles until everything is stored.
func (r *run) work(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	send := r.put
	if r.Receive {
		front := newFront(r)
		defer front.Close()
		send = front.send
	}
	var senders, worker sync.WaitGroup
	errs := make([]error, r.Senders+1)
	for s := range r.Senders {
		senders.Go(func() {
			for n := 0; n < r.Deliveries && errs[s] == nil; n++ {
				errs[s] = send(ctx, s, n)
			}
		})
	}
	stored := make(chan struct{})
	worker.Go(func() { errs[r.Senders] = r.settleUntil(ctx, stored) })
	senders.Wait()
	close(stored)
	worker.Wait()
	return errors.Join(errs...)
}

// put stores the n-th delivery of a sender without HTTP.
func (r *run) put(ctx context.Context, sender, n int) error {
	d := r.delivery(sender, n)
	if err := r.inbox.Put(ctx, d); err != nil {
		return err
	}
	r.acknowledged(d.UID, string(d.Body))
	return nil
}

// acknowledged is the moment at which the sender may forget the delivery.
func (r *run) acknowledged(uid, body string) {
	r.ledger.acknowledge(uid, body)
	r.mu.Lock()
	r.report.Acknowledged++
	r.mu.Unlock()
	r.cut(Change{})
}

// settleUntil claims and settles deliveries until nothing is left after stored is
// closed, or a third of them is settled: the rest is drained from images. Leases end
// at once, so that an image can be drained.
func (r *run) settleUntil(ctx context.Context, stored <-chan struct{}) error {
	for done := 0; done < r.Senders*r.Deliveries/3; {
		changed := r.inbox.Changed()
		claims, err := r.inbox.Claim(ctx, webhook.ClaimOptions{N: 2, Lease: time.Microsecond})
		if err != nil {
			return err
		}
		for _, c := range claims {
			if _, err := r.inbox.Settle(ctx, c, webhook.Outcome{State: webhook.Done}); err != nil {
				return err
			}
			r.ledger.settle(c.Delivery.UID)
			r.mu.Lock()
			r.report.Settled++
			r.mu.Unlock()
			r.cut(Change{})
			done++
		}
		switch {
		case len(claims) > 0:
			continue
		case stored == nil:
			return nil
		}
		select {
		case <-stored:
			stored = nil // claim what came last
		case <-changed:
		}
	}
	return nil
}

// beforeChange cuts the power before some of the changes.
func (r *run) beforeChange(c Change) {
	if r.CutEvery == 0 {
		return
	}
	r.mu.Lock()
	r.changes++
	now := r.changes%r.CutEvery == 0 || c.Checkpoint && r.changes%max(r.CutEvery/8, 1) == 0
	r.mu.Unlock()
	if now {
		r.cut(c)
	}
}

// cut cuts the power and examines the image. It reads first what is promised: what
// comes later may be in the image or not.
func (r *run) cut(c Change) {
	want := r.ledger.promised()
	r.mu.Lock()
	chance := rand.New(rand.NewPCG(r.chance.Uint64(), 2))
	r.report.Cuts++
	if c.Checkpoint {
		r.report.InCheckpoint++
	}
	drain := r.Drain > 0 && r.report.Cuts%r.Drain == 0
	if drain {
		r.report.Drained++
	}
	r.mu.Unlock()
	found, err := examine(r.disk.Cut(r.Loss, chance), want, drain)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.report.Lost = append(r.report.Lost, found.Lost...)
	r.report.Undone = append(r.report.Undone, found.Undone...)
	r.report.Damaged = append(r.report.Damaged, found.Damaged...)
	r.failed = errors.Join(r.failed, err)
}
