package held

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hookhouse/hookhouse/internal/bench/env"
	"github.com/hookhouse/hookhouse/internal/bench/pace"
	"github.com/hookhouse/hookhouse/internal/bench/schema"
)

const (
	// firstLive is the number before that of the first live call. Deliveries with
	// lower numbers are replayed. Those that hold keys begin with firstHolding.
	firstLive    = 10_000_000
	firstHolding = 20_000_000
	// repairName is the application_name of the connections of scene.repair.
	repairName = "repair"
	// liveCallers is how many call under the keys that are replayed, each once in
	// callEvery.
	liveCallers = 4
	callEvery   = 50 * time.Millisecond
	// callTimeout is how long a sender waits for its answer.
	callTimeout = 10 * time.Second
)

// A scene is an inbox with finished deliveries that takes live calls and is a
// round trip away from its database.
type scene struct {
	command
	live   *env.Store // a round trip away
	repair *env.Store // another program, as far away
	near   *env.Store // another program, beside the database

	number  atomic.Int64 // of live calls
	stored  atomic.Int64 // live calls that returned nil
	refused atomic.Int64 // live calls that failed, except those under held keys
	waited  atomic.Int64 // live calls under held keys that failed
}

// A result has the figures of one run.
type result struct {
	puts     int           // under free keys
	p50, p99 time.Duration // of these Puts, including the refused ones
	refused  int           // live calls, except those under held keys
	waited   int           // live calls under held keys that were refused
	replayed float64       // deliveries per second, if a Replay runs
	failed   int           // Replays that returned an error
}

// run makes a scene and measures a row in it once.
func (c command) run(ctx context.Context, e *env.Env, row *row) (r result, err error) {
	sc, closeScene, err := c.newScene(ctx, e, row.trip)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, closeScene()) }()
	if r, err = sc.measure(ctx, row.situation); err != nil {
		return r, err
	}
	return r, sc.check(ctx)
}

// newScene makes a scene with finished deliveries. The function closeScene closes
// it.
func (c command) newScene(ctx context.Context, e *env.Env, trip time.Duration) (sc *scene, closeScene func() error, err error) {
	var closers []func() error
	closeAll := func() error {
		var all error
		for _, c := range slices.Backward(closers) {
			all = errors.Join(all, c())
		}
		return all
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, closeAll())
		}
	}()
	at, remove, err := e.Make(ctx, env.PostgreSQL)
	if err != nil {
		return nil, nil, err
	}
	closers = append(closers, remove)
	through, stop, err := e.Far(trip)
	if err != nil {
		return nil, nil, err
	}
	closers = append(closers, stop)
	sc = &scene{command: c}
	sc.number.Store(firstLive)
	for _, s := range []struct {
		store **env.Store
		dsn   string
	}{{&sc.near, at}, {&sc.live, through(at)}, {&sc.repair, through(at + "&application_name=" + repairName)}} {
		if *s.store, err = env.PostgreSQL.Open(ctx, s.dsn); err != nil {
			return nil, nil, err
		}
		closers = append(closers, (*s.store).Close)
	}
	finished := schema.Shape{Key: fmt.Sprintf(`'key' || (i %% %d)`, c.keys), State: `'done'`}
	return sc, closeAll, finished.Fill(ctx, sc.near.DB, env.PostgreSQL, c.replays)
}

// measure sends under free keys, for a while without the disturbance and then with
// it.
func (sc *scene) measure(ctx context.Context, s situation) (r result, err error) {
	d, err := s.prepare(ctx, sc)
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

// sendWhile makes live calls, at first without the disturbance. It returns when
// the disturbance began and when the time was over.
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

// between returns how long the calls took that ran in that time, wholly or in part,
// the shortest first.
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

// send puts under free keys, one after the other, until ctx ends. It waits for a Put
// that has begun.
func (sc *scene) send(ctx context.Context) (calls timedCalls) {
	for ctx.Err() == nil {
		start := time.Now()
		sc.put(context.WithoutCancel(ctx), func(number int64) string { return fmt.Sprint("free", number) }, &sc.refused)
		calls = append(calls, struct{ start, end time.Time }{start, time.Now()})
	}
	return calls
}

// call puts now and then under the keys of the deliveries that are replayed.
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

// put makes one live call with the timeout of a sender.
func (sc *scene) put(ctx context.Context, key func(number int64) string, refused *atomic.Int64) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	number := sc.number.Add(1)
	if err := sc.live.Put(ctx, pace.Delivery(int(number), key(number))); err != nil {
		refused.Add(1)
		return
	}
	sc.stored.Add(1)
}

// check counts what is stored, after the last Put.
func (sc *scene) check(ctx context.Context) error {
	if err := sc.live.Inbox.Close(); err != nil {
		return err
	}
	got, err := schema.Count(sc.near.DB, schema.After(pace.Delivery(firstLive, "").UID))(ctx)
	if err != nil {
		return err
	}
	return accounted(got, int(sc.stored.Load()), int(sc.number.Load())-firstLive)
}

// accounted returns an error unless everything that was acknowledged is stored.
// Other calls may be stored, if their answer did not arrive.
func accounted(stored, acknowledged, calls int) error {
	if stored < acknowledged || stored > calls {
		return fmt.Errorf("%d live calls are stored, %d were acknowledged of %d", stored, acknowledged, calls)
	}
	return nil
}
