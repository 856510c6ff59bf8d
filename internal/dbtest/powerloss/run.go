package powerloss

import (
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

// A Run is deliveries stored and settled while the power fails again and again.
type Run struct {
	Journal    string // journal_mode. Zero means WAL.
	Sync       string // synchronous, when the inbox checks it. Zero means FULL.
	Weaken     string // synchronous of every connection after that. Zero leaves it.
	Deaf       func(name string) bool
	Receive    bool   // through a Receiver over HTTP. Zero means by Put.
	Senders    int    // at once
	Deliveries int    // of each sender
	Body       int    // bytes of the largest body
	Loss       Loss   // at each cut
	Between    int    // cuts also before one of so many changes to the disk. Zero means never.
	Drain      int    // of so many images one is also worked off. Zero means none.
	Seed       uint64 // of chance
}

// A run is one under way.
type run struct {
	Run
	disk   *Disk
	inbox  *sqlinbox.Inbox
	ledger ledger

	mu      sync.Mutex
	chance  *rand.Rand
	report  Report
	changes int
	failed  error // of an image that cannot be looked at
}

// Do runs it. The error is one of the run itself: an image that has lost
// something is in the Report.
func (cfg Run) Do(ctx context.Context) (*Report, error) {
	d, err := NewDisk(nil)
	if err != nil {
		return nil, err
	}
	defer func() { _ = d.Close() }()
	r := &run{Run: cfg, disk: d, chance: rand.New(rand.NewPCG(cfg.Seed, 1))}
	r.ledger = ledger{bodies: make(map[string]string), settled: make(map[string]bool)}
	d.Deaf, d.Watch = cfg.Deaf, r.between
	db, err := r.open(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = db.Close() }()
	err = errors.Join(r.work(ctx), r.inbox.Close(), r.failed)
	r.report.Checkpoints = d.Checkpoints()
	return &r.report, err
}

// checkpointOften makes a short run come to checkpoints, of which the inbox makes one
// each 1000 pages.
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

// open returns the database when the inbox has checked it.
func (r *run) open(ctx context.Context) (*sql.DB, error) {
	var conns []*sqlite3.Conn // nobody uses one while it is weakened
	remember := func(c *sqlite3.Conn) error {
		conns = append(conns, c)
		return nil
	}
	dsn := r.disk.DSN(database, "_pragma=busy_timeout(10000)", "_txlock=immediate",
		"_pragma=journal_mode("+either(r.Journal, "WAL")+")", "_pragma=synchronous("+either(r.Sync, "FULL")+")")
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

// put is a sender without HTTP.
func (r *run) put(ctx context.Context, sender, n int) error {
	d := r.delivery(sender, n)
	if err := r.inbox.Put(ctx, d); err != nil {
		return err
	}
	r.acknowledged(d.UID, string(d.Body))
	return nil
}

// acknowledged is the moment when the sender may forget.
func (r *run) acknowledged(uid, body string) {
	r.ledger.acknowledge(uid, body)
	r.mu.Lock()
	r.report.Acknowledged++
	r.mu.Unlock()
	r.cut(Change{})
}

// settleUntil claims and settles what there is until nothing is left after
// stored is closed, or a third of everything is settled: the rest is for images
// to show. Leases end at once, so that an image can be worked off.
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
			stored = nil // what came last is still to be looked for
		case <-changed:
		}
	}
	return nil
}

// between cuts before some of the changes.
func (r *run) between(c Change) {
	if r.Between == 0 {
		return
	}
	r.mu.Lock()
	r.changes++
	now := r.changes%r.Between == 0 || c.Checkpoint && r.changes%max(r.Between/8, 1) == 0
	r.mu.Unlock()
	if now {
		r.cut(c)
	}
}

// cut cuts the power and looks at the image. What is promised is read first:
// what comes after it may be in the image or not.
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

func either(set, otherwise string) string {
	if set != "" {
		return set
	}
	return otherwise
}
