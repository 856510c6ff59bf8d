package publishcrash

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"io"
	"time"

	"github.com/hookhouse/hookhouse/internal/dbtest/broken"
	"github.com/hookhouse/hookhouse/internal/dbtest/crash"
	"github.com/hookhouse/hookhouse/internal/dbtest/engine"
	"github.com/hookhouse/hookhouse/internal/dbtest/process"
	"github.com/hookhouse/hookhouse/internal/dbtest/wait"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// A Trial says how often the publisher is killed, and under which load.
type Trial struct {
	Name    string         // of the database
	Store   engine.Store   // is empty
	Variant broken.Variant // Zero means sqlinbox and sqlstore as they are.
	Kills   int            // that count
	Wait    time.Duration  // from one try of a kill to the next, at most; Zero means 50 ms.
	Tries   int            // in a row without a kill that counts; Zero means 400.
	Writers int            // Zero means 16.
	Lease   time.Duration  // of the workers; Zero means 3 s.
	Output  io.Writer      // gets a line for each kill
}

// Run runs the trial. [Report.Err] says whether a promise was broken. The error of Run is
// [crash.ErrVacuous], or why the trial could not run.
func (t Trial) Run(ctx context.Context) (Report, error) {
	began := time.Now()
	db, in, store, err := open(ctx, t.Store)
	if err != nil {
		return Report{}, err
	}
	defer func() { _ = db.Close() }()
	defer func() { _ = in.Close() }()
	r := &run{Trial: t, account: newAccount(), inbox: in}
	sink, err := newSink(r.account)
	if err != nil {
		return Report{}, err
	}
	defer sink.Close()
	r.owner = newOwner(r.account, sink.URL, in, store)
	if err := r.owner.createAll(ctx); err != nil {
		return Report{}, err
	}
	defer func() {
		if r.publisher != nil {
			r.publisher.Kill()
		}
	}()
	if err := r.work(ctx); err != nil {
		return Report{}, err
	}
	rows, err := publishedRows(ctx, db)
	if err != nil {
		return Report{}, err
	}
	report := r.account.report(rows)
	report.Name, report.Kills, report.Took = t.Name, r.kills, time.Since(began)
	return report, nil
}

// A run is a trial under way.
type run struct {
	Trial
	account   *account
	owner     *owner
	inbox     *sqlinbox.Inbox
	publisher *process.Process
	kills     int  // that count
	deleted   bool // an endpoint, in this life
}

// work kills publishers, and lets a last one send everything.
func (r *run) work(ctx context.Context) error {
	if err := r.start(ctx, r.writers()); err != nil {
		return err
	}
	if err := crash.Repeat(r.Kills, r.Tries, func() (bool, error) { return r.killOnce(ctx) }, r.account.moment); err != nil {
		return err
	}
	err := wait.Until(ctx, "events are published after the last kill", func() bool { return r.account.moment().published >= 2*minPublished })
	if err != nil {
		return fmt.Errorf("%w\n%s", err, r.publisher.Log())
	}
	r.kill()
	if err := r.owner.deleteTemporary(ctx, true); err != nil {
		return err
	}
	if err := r.start(ctx, 0); err != nil {
		return err
	}
	err = wait.Until(ctx, "nothing is unfinished", func() bool {
		n, err := r.inbox.Pending(ctx, 1)
		return err == nil && n == 0
	})
	if err != nil {
		return fmt.Errorf("%w\n%s", err, r.publisher.Log())
	}
	err = r.publisher.Stop(ctx)
	r.publisher = nil
	return err
}

func (r *run) writers() int { return cmp.Or(r.Writers, 16) }

// start starts a publisher.
func (r *run) start(ctx context.Context, writers int) (err error) {
	r.deleted = false
	config := publisher{Store: r.Store, Variant: r.Variant, Lease: cmp.Or(r.Lease, 3*time.Second), Life: r.account.lifeBegins(), Writers: writers}
	r.publisher, err = process.Start(ctx, config, r.account.read)
	return err
}

// kill kills the publisher and returns how many requests were in flight.
func (r *run) kill() (inFlight int) {
	r.publisher.Kill()
	r.publisher = nil
	return r.account.killed()
}

// publishedRows returns the IDs of the events whose transactions have committed, by name.
func publishedRows(ctx context.Context, db *sql.DB) (map[string]string, error) {
	rows, err := db.QueryContext(ctx, "SELECT name, id FROM published")
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	ids := make(map[string]string)
	for rows.Next() {
		var name, id string
		if err := rows.Scan(&name, &id); err != nil {
			return nil, err
		}
		ids[name] = id
	}
	return ids, rows.Err()
}
