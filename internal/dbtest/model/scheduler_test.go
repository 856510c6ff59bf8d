package model

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// A tactic says which of those who have stopped goes on; there is at least one.
type tactic interface {
	next(ready []*stop) *stop
}

// newTactic draws one for a plan.
func newTactic(rng *rand.Rand, pl *plan) tactic {
	if len(pl.soft) > 0 && rng.IntN(5) < 3 {
		return newAmbush(rng, 0, leapfrog(halt{before: pl.soft, operations: 1}))
	}
	switch kind := rng.IntN(20); {
	case kind < 3:
		return &wander{rng: rng}
	case kind < 6:
		return &wander{rng: rng, stay: pick(rng, 0.5, 0.8, 0.95)}
	}
	victim := 0
	if rng.IntN(3) == 0 {
		victim = rng.IntN(len(pl.programs))
	}
	if rng.IntN(2) == 0 {
		return newAmbush(rng, victim, leapfrog(halt{after: soon(rng), operations: 1}))
	}
	var halts []halt
	for range 1 + rng.IntN(3) {
		h := halt{after: soon(rng), operations: pick(rng, 1, 1, 1, 2, 3, 100, 100)}
		if rng.IntN(2) == 0 {
			h.before = []string{pick(rng, commit, commit, commit, "promote", "find", "try_find", "settle")}
		}
		halts = append(halts, h)
	}
	return newAmbush(rng, victim, halts)
}

// leapfrog lets the others do one operation before each statement of the victim,
// from the first halt on.
func leapfrog(first halt) []halt {
	halts := []halt{first}
	for range 5 {
		halts = append(halts, halt{after: 1, operations: 1})
	}
	return halts
}

func newAmbush(rng *rand.Rand, victim int, halts []halt) *ambush {
	a := &ambush{victim: victim, halts: halts, others: wander{rng: rng, stay: 0.95}}
	a.text = fmt.Sprintf("P%d halts", a.victim)
	for _, h := range a.halts {
		where := fmt.Sprintf("after %d statements", h.after)
		if h.before != nil {
			where = "before " + strings.Join(h.before, " or ")
		}
		a.text += fmt.Sprintf(", %s for %d operations", where, h.operations)
	}
	return a
}

// soon draws how many statements pass first. What is short has few, and is to be
// met in its midst as well.
func soon(rng *rand.Rand) int {
	if rng.IntN(2) == 0 {
		return rng.IntN(14)
	}
	return 1 + rng.IntN(4)
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
	text    string
	victim  int
	halts   []halt
	others  wander
	passed  int
	halting bool
	left    int // operations that the others may yet begin
}

// A halt is before a statement of the victim: one of those named, or after so many.
type halt struct {
	before     []string
	after      int
	operations int
}

func (a *ambush) String() string { return a.text }

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
		if h := a.halts[0]; slices.Contains(h.before, victim.what) || h.before == nil && h.after == a.passed {
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
