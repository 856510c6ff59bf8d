package webhook

import (
	"slices"
	"sync"
)

// A lineup decides which attempts of a Worker may begin and whether it may claim
// more. A suspect, whose last claims were lost, runs when nothing else of the
// Worker runs: if the process ends then, that delivery is to blame and no other
// one is lost with it. Nothing is claimed while a suspect waits or runs. The zero
// value is ready.
type lineup struct {
	mu      sync.Mutex
	beside  int           // attempts under way that are not suspects
	waiting []*place      // suspects, in the order in which they run
	running *place        // the suspect whose turn it is
	holds   int           // reasons to claim nothing
	closed  chan struct{} // nil while claims may be made; closed when they may again
}

// A place is an attempt's in the lineup.
type place struct {
	crashes int
	turn    chan struct{} // of a suspect: closed when it may run; nil for others
	left    bool
}

// enter gives each of the claims of one call a place. It enters all of them at
// once, so that a suspect waits for all the others. Suspects with the fewest
// crashes run first.
func (l *lineup) enter(claims []Claim, suspect func(Claim) bool) []*place {
	l.mu.Lock()
	defer l.mu.Unlock()
	all, places := make([]place, len(claims)), make([]*place, len(claims))
	for i, c := range claims {
		places[i] = &all[i]
		places[i].crashes = c.Crashes
		if suspect(c) {
			places[i].turn = make(chan struct{})
			l.waiting = append(l.waiting, places[i])
		} else {
			l.beside++
		}
	}
	slices.SortStableFunc(l.waiting, func(a, b *place) int { return a.crashes - b.crashes })
	l.advance()
	return places
}

// leave gives a place up: its attempt has ended, or the others wait for it no
// longer. A second call does nothing.
func (l *lineup) leave(p *place) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case p.left:
		return
	case p.turn == nil:
		l.beside--
	case p == l.running:
		l.running = nil
	default:
		l.waiting = slices.DeleteFunc(l.waiting, func(w *place) bool { return w == p })
	}
	p.left = true
	l.advance()
}

// hold stops claiming until release. Each hold needs one release.
func (l *lineup) hold() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.holds++
	l.advance()
}

func (l *lineup) release() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.holds--
	l.advance()
}

// advance gives the next suspect its turn if it may run, and opens or closes
// claiming.
func (l *lineup) advance() {
	if l.running == nil && l.beside == 0 && len(l.waiting) > 0 {
		l.running, l.waiting = l.waiting[0], l.waiting[1:]
		close(l.running.turn)
	}
	open := l.running == nil && len(l.waiting) == 0 && l.holds == 0
	switch {
	case open && l.closed != nil:
		close(l.closed)
		l.closed = nil
	case !open && l.closed == nil:
		l.closed = make(chan struct{})
	}
}

// wait returns nil if claims may be made, otherwise a channel that is closed when
// they may be again. Ask again then.
func (l *lineup) wait() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.closed
}

// suspects counts those that wait for their turn.
func (l *lineup) suspects() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.waiting)
}
