package webhook

import (
	"slices"
	"sync"
)

// A lineup decides which attempts of a Worker may run, and whether the Worker may
// claim more. A suspect is a delivery whose last claims were lost. Unless
// SuspectsRunTogether is set, it runs while nothing else of the Worker runs: if the
// process ends then, that delivery is the cause and no other delivery is lost with it.
// Nothing is claimed while such a suspect waits or runs. The zero value is ready to use.
type lineup struct {
	mu       sync.Mutex
	ordinary int           // attempts in progress that are not suspects
	waiting  []*place      // suspects, in the order in which they will run
	running  *place        // the suspect that may run
	pauses   int           // calls of pause without a resume
	blocked  chan struct{} // nil while claiming is allowed; closed when it is allowed again
}

// A place is the place of an attempt in the lineup.
type place struct {
	crashes int
	turn    chan struct{} // of a suspect: closed when it may run; otherwise nil
	left    bool
}

// enter returns a place for each of the claims of one call, and alone says which of them
// run alone. It enters all of them at once, so that a suspect waits for all others.
// Suspects with fewer crashes run first.
func (l *lineup) enter(claims []Claim, alone []bool) []*place {
	l.mu.Lock()
	defer l.mu.Unlock()
	all, places := make([]place, len(claims)), make([]*place, len(claims))
	for i, c := range claims {
		places[i] = &all[i]
		places[i].crashes = c.Crashes
		if alone[i] {
			places[i].turn = make(chan struct{})
			l.waiting = append(l.waiting, places[i])
		} else {
			l.ordinary++
		}
	}
	slices.SortStableFunc(l.waiting, func(a, b *place) int { return a.crashes - b.crashes })
	l.update()
	return places
}

// leave removes a place: its attempt has ended, or the others no longer wait for it.
// A second call has no effect.
func (l *lineup) leave(p *place) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case p.left:
		return
	case p.turn == nil:
		l.ordinary--
	case p == l.running:
		l.running = nil
	default:
		l.waiting = slices.DeleteFunc(l.waiting, func(w *place) bool { return w == p })
	}
	p.left = true
	l.update()
}

// pause stops claiming until resume is called as often as pause.
func (l *lineup) pause() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pauses++
	l.update()
}

func (l *lineup) resume() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pauses--
	l.update()
}

// update lets the next suspect run if it may, and blocks or unblocks claiming.
func (l *lineup) update() {
	if l.running == nil && l.ordinary == 0 && len(l.waiting) > 0 {
		l.running, l.waiting = l.waiting[0], l.waiting[1:]
		close(l.running.turn)
	}
	allowed := l.running == nil && len(l.waiting) == 0 && l.pauses == 0
	switch {
	case allowed && l.blocked != nil:
		close(l.blocked)
		l.blocked = nil
	case !allowed && l.blocked == nil:
		l.blocked = make(chan struct{})
	}
}

// claimingBlocked returns nil if claiming is allowed, otherwise a channel that is
// closed when it is allowed again. The caller must then call claimingBlocked again.
func (l *lineup) claimingBlocked() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.blocked
}

// suspects returns the number of suspects that wait for their turn.
func (l *lineup) suspects() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.waiting)
}
