package model

import (
	"fmt"
	"math/rand/v2"
)

// A tactic says which of those who have stopped goes on; there is at least one.
type tactic interface {
	next(ready []*stop) *stop
}

// newTactic draws one for so many players.
func newTactic(rng *rand.Rand, players int) tactic {
	switch rng.IntN(10) {
	case 0, 1:
		return &wander{rng: rng}
	case 2, 3:
		return &wander{rng: rng, stay: []float64{0.5, 0.8, 0.95}[rng.IntN(3)]}
	}
	a := &ambush{others: wander{rng: rng, stay: 0.95}}
	if rng.IntN(4) == 0 {
		a.victim = rng.IntN(players)
	}
	for range 1 + rng.IntN(3) {
		h := halt{after: rng.IntN(9), operations: []int{1, 1, 1, 2, 3, 100, 100}[rng.IntN(7)]}
		if rng.IntN(2) == 0 {
			h.after = beforeCommit
		}
		a.halts = append(a.halts, h)
	}
	return a
}

// A wander goes on with the same player, or with anyone.
type wander struct {
	rng  *rand.Rand
	stay float64 // how probably with the same
	last *player
}

func (w *wander) String() string { return fmt.Sprintf("stays with probability %.2f", w.stay) }

func (w *wander) next(ready []*stop) *stop {
	if w.rng.Float64() < w.stay {
		for _, s := range ready {
			if s.player == w.last {
				return s
			}
		}
	}
	s := ready[w.rng.IntN(len(ready))]
	w.last = s.player
	return s
}

// An ambush halts one player at chosen statements, and lets the others do so many
// whole operations before it goes on.
type ambush struct {
	victim  int
	halts   []halt
	others  wander
	passed  int
	halting bool
	left    int // operations that the others may yet begin
}

// A halt is before a statement of the victim: after so many, or before the next
// commit.
type halt struct{ after, operations int }

const beforeCommit = -1

func (a *ambush) String() string {
	text := fmt.Sprintf("P%d halts", a.victim)
	for _, h := range a.halts {
		where := fmt.Sprintf("after %d statements", h.after)
		if h.after == beforeCommit {
			where = "before a commit"
		}
		text += fmt.Sprintf(", %s for %d operations", where, h.operations)
	}
	return text
}

func (a *ambush) next(ready []*stop) *stop {
	var victim *stop
	var begun, idle []*stop
	for _, s := range ready {
		switch {
		case s.player.n == a.victim:
			victim = s
		case s.isOperation():
			idle = append(idle, s)
		default:
			begun = append(begun, s)
		}
	}
	if victim != nil && !a.halting && len(a.halts) > 0 {
		if h := a.halts[0]; h.after == a.passed || h.after == beforeCommit && victim.what == commit {
			a.halting, a.left, a.passed, a.halts = true, h.operations, 0, a.halts[1:]
		}
	}
	if victim != nil && !a.halting {
		a.passed++
		return victim
	}
	others := begun
	if a.halting && a.left > 0 || victim == nil {
		others = append(others, idle...)
	}
	if len(others) == 0 {
		a.halting = false
		a.passed++
		return victim
	}
	s := a.others.next(others)
	if s.isOperation() && a.halting {
		a.left--
	}
	return s
}
