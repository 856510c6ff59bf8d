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
	// glance is how long a statement may take before it is looked at whether it
	// waits for a lock.
	glance = time.Millisecond
	// nap is how long a player may do nothing before the others go on without it: it
	// waits for a time to pass.
	nap = 4 * time.Millisecond
	// tooLong is how long nothing may move.
	tooLong = 20 * time.Second
)

var errFrozen = errors.New("nothing moves any more")

// A run is one schedule under way on PostgreSQL: one statement runs at a time, in
// the order of the tactic, until it returns or waits for a lock.
type run struct {
	events  chan event
	free    chan struct{} // closed when nobody stops any more
	seats   []*seat
	monitor *monitor
	tactic  tactic
	trace   []*line
	moved   bool // a statement has returned since the blocked were looked at
}

// play runs work for each player at once and returns when all are through.
func (r *run) play(ctx context.Context, players []*player, work func(p *player)) error {
	r.events, r.free = make(chan event, 16), make(chan struct{})
	for _, p := range players {
		r.seats = append(r.seats, &seat{player: p, since: time.Now()})
		p.run.Store(r)
	}
	var all sync.WaitGroup
	for _, p := range players {
		all.Go(func() {
			work(p)
			r.tell(event{player: p, done: true})
		})
	}
	err := r.direct(ctx)
	for _, p := range players {
		p.run.Store(nil)
	}
	close(r.free)
	all.Wait()
	return err
}

func (r *run) tell(e event) {
	select {
	case r.events <- e:
	case <-r.free:
	}
}

// direct lets one stop pass after the other.
func (r *run) direct(ctx context.Context) error {
	for {
		if err := r.quiesce(ctx); err != nil {
			return err
		}
		var ready []*stop
		over := true
		for _, s := range r.seats {
			over = over && s.over && len(s.stops) == 0
			for _, stop := range s.stops {
				if stop.phase == parked {
					ready = append(ready, stop)
				}
			}
		}
		switch {
		case over:
			return nil
		case len(ready) > 0:
			r.pass(r.tactic.next(ready))
		default:
			select { // all wait for locks or for time
			case e := <-r.events:
				r.note(e)
			case <-time.After(tooLong):
				return errFrozen
			}
		}
	}
}

func (r *run) seatOf(p *player) *seat {
	return r.seats[slices.IndexFunc(r.seats, func(s *seat) bool { return s.player == p })]
}

func (r *run) pass(s *stop) {
	s.line = &line{player: s.player.name, what: s.what, pending: !s.isOperation()}
	if !s.isOperation() {
		s.line.what = "   " + s.what
	}
	r.trace = append(r.trace, s.line)
	s.phase = executing
	seat := r.seatOf(s.player)
	seat.since = time.Now()
	if s.isOperation() {
		seat.drop(s)
	}
	close(s.granted)
}

func (r *run) note(e event) {
	seat := r.seatOf(e.player)
	seat.since, seat.asleep = time.Now(), false
	switch {
	case e.done:
		seat.over = true
	case e.stop == nil:
		r.trace = append(r.trace, &line{player: e.player.name, what: "      ->", result: e.result})
	case e.stop.phase == parked:
		seat.stops = append(seat.stops, e.stop)
		slices.SortFunc(seat.stops, func(a, b *stop) int { return cmp.Compare(a.pid, b.pid) })
	default:
		e.stop.line.result, e.stop.line.pending = e.result, false
		seat.drop(e.stop)
		r.moved = true
	}
}

// quiesce returns when every player has stopped, waits for a lock or for time, or
// is through.
func (r *run) quiesce(ctx context.Context) error {
	patience := time.NewTimer(glance)
	defer patience.Stop()
	started := time.Now()
	for {
		loose := false
		var running []*stop
		for _, s := range r.seats {
			loose = loose || s.busy()
			for _, stop := range s.stops {
				if stop.phase == executing {
					running = append(running, stop)
				}
			}
		}
		if !loose && len(running) == 0 {
			if more, err := r.recheck(ctx); err != nil || !more {
				return err
			}
			continue
		}
		patience.Reset(glance)
		select {
		case e := <-r.events:
			r.note(e)
			continue
		case <-patience.C:
		}
		if err := r.look(ctx, running, executing, blocked); err != nil {
			return err
		}
		for _, s := range r.seats {
			if s.busy() && time.Since(s.since) > nap {
				s.asleep = true
			}
		}
		if time.Since(started) > tooLong {
			return errFrozen
		}
	}
}

// recheck reports whether one that waited for a lock has got it.
func (r *run) recheck(ctx context.Context) (bool, error) {
	if !r.moved {
		return false, nil
	}
	r.moved = false
	var waiting []*stop
	for _, s := range r.seats {
		for _, stop := range s.stops {
			if stop.phase == blocked {
				waiting = append(waiting, stop)
			}
		}
	}
	err := r.look(ctx, waiting, blocked, executing)
	return slices.ContainsFunc(waiting, func(s *stop) bool { return s.phase == executing }), err
}

// look gives those of stops that do or do not wait for a lock the phase that they
// then have.
func (r *run) look(ctx context.Context, stops []*stop, from, to phase) error {
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
			s.line.waited = true
		}
	}
	return err
}
