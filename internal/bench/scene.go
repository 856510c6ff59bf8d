package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hookhouse/hookhouse/internal/bench/pace"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

const (
	// firstLive is the number before the first live call; those below are replayed.
	// firstHolding is the first that holds a key, above all live calls.
	firstLive    = 10_000_000
	firstHolding = 20_000_000
	// repairName is the name under which the database knows the connections of
	// scene.repair.
	repairName = "repair"
	// liveCallers call under the keys of what is replayed, each once in callEvery.
	liveCallers = 4
	callEvery   = 50 * time.Millisecond
	// callPatience is how long a sender waits for its answer.
	callPatience = 10 * time.Second
)

// A scene is an inbox with finished deliveries, some way from its database, that
// takes live calls.
type scene struct {
	heldRun
	live   *sqlinbox.Inbox // far from its database
	repair *sqlinbox.Inbox // as far, with a pool of its own: another program's
	near   *sqlinbox.Inbox // beside the database, like nearDB
	nearDB *sql.DB

	number  atomic.Int64 // of live calls
	stored  atomic.Int64 // live calls that were answered with nil
	refused atomic.Int64 // those under keys that nobody holds for long
	waited  atomic.Int64 // those under held keys that were refused
}

// A liveRun is what one run of a scene gave.
type liveRun struct {
	puts     int           // under free keys
	p50, p99 time.Duration // of them, also of the refused ones
	refused  int           // of all live calls that nobody holds up for long
	waited   int           // of those under held keys
	replayed float64       // deliveries per second, where a Replay runs
	failed   int           // Replays that ended with an error
}

// run sets up a scene for one run of a case.
func (o heldRun) run(ctx context.Context, s *site, row *heldRow) (r liveRun, err error) {
	sc, closeScene, err := o.newScene(ctx, s, row.trip)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, closeScene()) }()
	if r, err = sc.measure(ctx, row.heldCase); err != nil {
		return r, err
	}
	return r, sc.check(ctx)
}

// newScene makes a scene that far from its database, with the finished
// deliveries, and returns how to close it.
func (o heldRun) newScene(ctx context.Context, s *site, trip time.Duration) (sc *scene, closeScene func() error, err error) {
	var closers []func() error
	closeScene = func() error {
		var all error
		for _, c := range slices.Backward(closers) {
			all = errors.Join(all, c())
		}
		return all
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, closeScene())
		}
	}()
	at, remove, err := s.make(ctx, inPostgres)
	if err != nil {
		return nil, nil, err
	}
	closers = append(closers, remove)
	through, done, err := s.far(trip)
	if err != nil {
		return nil, nil, err
	}
	closers = append(closers, done)
	sc = &scene{heldRun: o}
	sc.number.Store(firstLive)
	open := func(dsn string) (*sql.DB, *sqlinbox.Inbox) {
		if err != nil {
			return nil, nil
		}
		var db *sql.DB
		var in *sqlinbox.Inbox
		if db, in, err = pace.PostgreSQL.Open(ctx, dsn); err == nil {
			closers = append(closers, closeAll(in, db))
		}
		return db, in
	}
	sc.nearDB, sc.near = open(at)
	_, sc.live = open(through(at))
	_, sc.repair = open(through(at + "&application_name=" + repairName))
	if err == nil {
		finished := shape{key: fmt.Sprintf(`'key' || (i %% %d)`, o.keys), state: `'done'`}
		err = finished.fill(ctx, sc.nearDB, inPostgres, o.replays)
	}
	return sc, closeScene, err
}

// measure sends under free keys while the case goes on, after a while without.
func (sc *scene) measure(ctx context.Context, c heldCase) (r liveRun, err error) {
	d, err := c.prepare(ctx, sc)
	if err != nil {
		return r, err
	}
	senders := make([]timedCalls, sc.senders)
	begin, end, err := sc.sendWhile(ctx, d, senders)
	if err = errors.Join(err, d.end(&r), ctx.Err()); err != nil {
		return r, err
	}
	took := between(senders, begin, end)
	if len(took) == 0 {
		return r, errors.New("no Put in all that time")
	}
	r.puts, r.p50, r.p99 = len(took), took[len(took)/2], took[len(took)*99/100]
	r.refused, r.waited = int(sc.refused.Load()), int(sc.waited.Load())
	return r, nil
}

// sendWhile has live calls made, at first without the disturbance, and returns
// when it began and when the time was over.
func (sc *scene) sendWhile(ctx context.Context, d disturbance, senders []timedCalls) (begin, end time.Time, err error) {
	sending, stop := context.WithCancel(ctx)
	var callers sync.WaitGroup
	for range liveCallers {
		callers.Go(func() { sc.call(sending) })
	}
	for i := range senders {
		callers.Go(func() { senders[i] = sc.send(sending) })
	}
	wait(ctx, sc.time/4, nil)
	if begin, err = d.start(ctx); err == nil {
		wait(ctx, sc.time, d.over)
		end = time.Now()
	}
	stop()
	callers.Wait()
	return begin, end, err
}

// wait returns after d, or when over is closed or ctx ends.
func wait(ctx context.Context, d time.Duration, over <-chan struct{}) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-over:
	case <-ctx.Done():
	}
}

// timedCalls are the calls of one sender.
type timedCalls []struct{ start, end time.Time }

// between returns how long the calls took that ran in that time, if only in
// part, the shortest first.
func between(senders []timedCalls, begin, end time.Time) []time.Duration {
	var took []time.Duration
	for _, calls := range senders {
		for _, c := range calls {
			if c.end.After(begin) && c.start.Before(end) {
				took = append(took, c.end.Sub(c.start))
			}
		}
	}
	slices.Sort(took)
	return took
}

// send puts under free keys, one after the other, until ctx ends. A Put that has
// begun by then is waited for.
func (sc *scene) send(ctx context.Context) (calls timedCalls) {
	for ctx.Err() == nil {
		start := time.Now()
		sc.put(context.WithoutCancel(ctx), func(number int64) string { return fmt.Sprint("free", number) }, &sc.refused)
		calls = append(calls, struct{ start, end time.Time }{start, time.Now()})
	}
	return calls
}

// call puts now and then under the keys of what is replayed.
func (sc *scene) call(ctx context.Context) {
	tick := time.NewTicker(callEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		sc.put(context.WithoutCancel(ctx), func(number int64) string { return fmt.Sprint("key", number*7%int64(sc.keys)) }, &sc.refused)
	}
}

// put makes one live call, as patient as a sender is.
func (sc *scene) put(ctx context.Context, key func(number int64) string, refused *atomic.Int64) {
	ctx, cancel := context.WithTimeout(ctx, callPatience)
	defer cancel()
	number := sc.number.Add(1)
	if err := sc.live.Put(ctx, pace.Delivery(int(number), key(number))); err != nil {
		refused.Add(1)
		return
	}
	sc.stored.Add(1)
}

// check counts what is stored, once nobody puts any more.
func (sc *scene) check(ctx context.Context) error {
	if err := sc.live.Close(); err != nil {
		return err
	}
	got, err := countRows(sc.nearDB, fmt.Sprintf("hookhouse_deliveries WHERE uid > '%s'", pace.Delivery(firstLive, "").UID))(ctx)
	if err != nil {
		return err
	}
	return accounted(got, int(sc.stored.Load()), int(sc.number.Load())-firstLive)
}

// accounted returns an error unless all that was acknowledged is stored. What was
// not may be, if nobody heard the answer.
func accounted(stored, acknowledged, calls int) error {
	if stored < acknowledged || stored > calls {
		return fmt.Errorf("%d live calls are stored, %d were acknowledged of %d", stored, acknowledged, calls)
	}
	return nil
}
