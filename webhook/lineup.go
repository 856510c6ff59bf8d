package webhook

import (
	"slices"
	"sync"
)

// A lineup says what of a Worker may begin. Suspects, whose earlier claims ended
// without a word, run one at a time and when nothing else runs: then it is known
// whom a process that ends had in hand, and nobody suffers for a neighbour. While
// there are suspects nothing is claimed beside them. The zero value is ready.
type lineup struct {
	mu      sync.Mutex
	beside  int           // attempts under way that are no suspects
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

// enter gives the claims of one call their places, together: a suspect among
// them waits for all the others. Those with the fewest crashes run first.
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

// leave gives a place up: its attempt has ended, or is not to be waited for any
// longer. It may be called again without effect.
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

// hold keeps claims from being made until release, which is called once.
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

// advance gives the next suspect its turn, and opens or closes the way for
// claims.
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

// wait returns nil when claims may be made, otherwise a channel that is closed
// when it is worth to ask again.
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
