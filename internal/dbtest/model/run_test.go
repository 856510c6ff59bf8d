package model

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

const (
	// lockCheckAfter is how long a statement runs before the monitor is asked whether
	// it waits for a lock.
	lockCheckAfter = time.Millisecond
	// idleAfter is how long a client may run no statement before the others go on
	// without it: it waits for a time to pass.
	idleAfter = 4 * time.Millisecond
	// stallTimeout is how long no client may make progress.
	stallTimeout = 20 * time.Second
)

var errStalled = errors.New("no client makes progress")

// A run is one schedule that runs on PostgreSQL: one statement runs at a time, in
// the order of the scheduler, until it returns or waits for a lock.
type run struct {
	events    chan event
	abandoned chan struct{} // closed when the clients no longer pause
	states    []*clientState
	monitor   *monitor
	scheduler scheduler
	trace     []*step
	returned  bool // a statement has returned since the blocked ones were checked
}

// play runs work for all clients at the same time and returns when all have ended.
func (r *run) play(ctx context.Context, clients []*client, work func(p *client)) error {
	r.events, r.abandoned = make(chan event, 16), make(chan struct{})
	for _, p := range clients {
		r.states = append(r.states, &clientState{client: p, since: time.Now()})
		p.run.Store(r)
	}
	var all sync.WaitGroup
	for _, p := range clients {
		all.Go(func() {
			work(p)
			r.send(event{client: p, done: true})
		})
	}
	err := r.loop(ctx)
	for _, p := range clients {
		p.run.Store(nil)
	}
	close(r.abandoned)
	all.Wait()
	return err
}

func (r *run) send(e event) {
	select {
	case r.events <- e:
	case <-r.abandoned:
	}
}

// loop resumes one paused statement after the other.
func (r *run) loop(ctx context.Context) error {
	for {
		if err := r.quiesce(ctx); err != nil {
			return err
		}
		var ready []*pause
		over := true
		for _, s := range r.states {
			over = over && s.done && len(s.pauses) == 0
			for _, stop := range s.pauses {
				if stop.phase == paused {
					ready = append(ready, stop)
				}
			}
		}
		switch {
		case over:
			return nil
		case len(ready) > 0:
			r.resume(r.scheduler.next(ready))
		default:
			select { // all wait for locks or for time
			case e := <-r.events:
				r.handle(e)
			case <-time.After(stallTimeout):
				return errStalled
			}
		}
	}
}

func (r *run) stateOf(p *client) *clientState {
	return r.states[slices.IndexFunc(r.states, func(s *clientState) bool { return s.client == p })]
}

func (r *run) resume(s *pause) {
	s.step = &step{client: s.client.name, what: s.what, pending: !s.isOperation()}
	if !s.isOperation() {
		s.step.what = "   " + s.what
	}
	r.trace = append(r.trace, s.step)
	s.phase = executing
	state := r.stateOf(s.client)
	state.since = time.Now()
	if s.isOperation() {
		state.drop(s)
	}
	close(s.resumed)
}

func (r *run) handle(e event) {
	state := r.stateOf(e.client)
	state.since, state.idle = time.Now(), false
	switch {
	case e.done:
		state.done = true
	case e.pause == nil:
		r.trace = append(r.trace, &step{client: e.client.name, what: "      ->", result: e.result})
	case e.pause.phase == paused:
		state.pauses = append(state.pauses, e.pause)
		slices.SortFunc(state.pauses, func(a, b *pause) int { return cmp.Compare(a.pid, b.pid) })
	default:
		e.pause.step.result, e.pause.step.pending = e.result, false
		state.drop(e.pause)
		r.returned = true
	}
}

// quiesce returns when every client is paused, waits for a lock or for time, or has
// ended.
func (r *run) quiesce(ctx context.Context) error {
	check := time.NewTimer(lockCheckAfter)
	defer check.Stop()
	started := time.Now()
	for {
		loose := false
		var running []*pause
		for _, s := range r.states {
			loose = loose || s.busy()
			for _, stop := range s.pauses {
				if stop.phase == executing {
					running = append(running, stop)
				}
			}
		}
		if !loose && len(running) == 0 {
			if more, err := r.recheckBlocked(ctx); err != nil || !more {
				return err
			}
			continue
		}
		check.Reset(lockCheckAfter)
		select {
		case e := <-r.events:
			r.handle(e)
			continue
		case <-check.C:
		}
		if err := r.updatePhases(ctx, running, executing, blocked); err != nil {
			return err
		}
		for _, s := range r.states {
			if s.busy() && time.Since(s.since) > idleAfter {
				s.idle = true
			}
		}
		if time.Since(started) > stallTimeout {
			return errStalled
		}
	}
}

// recheckBlocked reports whether a statement that waited for a lock has it now.
func (r *run) recheckBlocked(ctx context.Context) (bool, error) {
	if !r.returned {
		return false, nil
	}
	r.returned = false
	var waiting []*pause
	for _, s := range r.states {
		for _, stop := range s.pauses {
			if stop.phase == blocked {
				waiting = append(waiting, stop)
			}
		}
	}
	err := r.updatePhases(ctx, waiting, blocked, executing)
	return slices.ContainsFunc(waiting, func(s *pause) bool { return s.phase == executing }), err
}

// updatePhases moves from one phase to the other those pauses that wait for a lock,
// if to is blocked, or that do not, if to is executing.
func (r *run) updatePhases(ctx context.Context, stops []*pause, from, to phase) error {
	if len(stops) == 0 {
		return nil
	}
	pids := make([]uint32, len(stops))
	for i, s := range stops {
		pids[i] = s.pid
	}
	waits, err := r.monitor.waiting(ctx, pids)
	for _, s := range stops {
		if s.phase == from && waits[s.pid] == (to == blocked) {
			s.phase = to
			s.step.waited = true
		}
	}
	return err
}
