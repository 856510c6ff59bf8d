package model

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// A scheduler chooses which of the paused statements runs next. There is at least
// one.
type scheduler interface {
	next(ready []*pause) *pause
}

// newScheduler draws a scheduler for a plan.
func newScheduler(rng *rand.Rand, pl *plan) scheduler {
	if len(pl.preemptBefore) > 0 && rng.IntN(5) < 3 {
		return newPreemptor(rng, 0, alternate(preemption{before: pl.preemptBefore, operations: 1}))
	}
	switch kind := rng.IntN(20); {
	case kind < 3:
		return &walk{rng: rng}
	case kind < 6:
		return &walk{rng: rng, keep: pick(rng, 0.5, 0.8, 0.95)}
	}
	victim := 0
	if rng.IntN(3) == 0 {
		victim = rng.IntN(len(pl.programs))
	}
	if rng.IntN(2) == 0 {
		return newPreemptor(rng, victim, alternate(preemption{after: drawDelay(rng), operations: 1}))
	}
	var list []preemption
	for range 1 + rng.IntN(3) {
		h := preemption{after: drawDelay(rng), operations: pick(rng, 1, 1, 1, 2, 3, 100, 100)}
		if rng.IntN(2) == 0 {
			h.before = []string{pick(rng, append(known("promote", "find", "try_find", "settle"), commit, commit, commit)...)}
		}
		list = append(list, h)
	}
	return newPreemptor(rng, victim, list)
}

// alternate lets the others run one operation before each statement of the victim,
// from the first preemption on.
func alternate(first preemption) []preemption {
	list := []preemption{first}
	for range 5 {
		list = append(list, preemption{after: 1, operations: 1})
	}
	return list
}

func newPreemptor(rng *rand.Rand, victim int, list []preemption) *preemptor {
	a := &preemptor{victim: victim, preemptions: list, others: walk{rng: rng, keep: 0.95}}
	a.text = fmt.Sprintf("P%d is preempted", a.victim)
	for _, h := range a.preemptions {
		where := fmt.Sprintf("after %d statements", h.after)
		if h.before != nil {
			where = "before " + strings.Join(h.before, " or ")
		}
		a.text += fmt.Sprintf(", %s for %d operations", where, h.operations)
	}
	return a
}

// drawDelay draws the number of statements before a preemption. Half of the draws
// are small, to preempt short operations as well.
func drawDelay(rng *rand.Rand) int {
	if rng.IntN(2) == 0 {
		return rng.IntN(14)
	}
	return 1 + rng.IntN(4)
}

// A walk goes on with the same client, or with any.
type walk struct {
	rng  *rand.Rand
	keep float64 // probability of the same client
	last *client
}

func (w *walk) String() string {
	return fmt.Sprintf("keeps the client with probability %.2f", w.keep)
}

func (w *walk) next(ready []*pause) *pause {
	if w.rng.Float64() < w.keep {
		for _, s := range ready {
			if s.client == w.last {
				return s
			}
		}
	}
	s := ready[w.rng.IntN(len(ready))]
	w.last = s.client
	return s
}

// A preemptor stops one client, the victim, at chosen statements, and lets the
// others run a number of whole operations before it goes on.
type preemptor struct {
	text        string
	victim      int
	preemptions []preemption
	others      walk
	ran         int
	preempting  bool
	left        int // operations that the others may yet begin
}

// A preemption stops the victim before one of the named statements, or after a number
// of statements.
type preemption struct {
	before     []string
	after      int
	operations int
}

func (a *preemptor) String() string { return a.text }

func (a *preemptor) next(ready []*pause) *pause {
	var victim *pause
	var begun, idle []*pause
	for _, s := range ready {
		switch {
		case s.client.n == a.victim:
			victim = s
		case s.isOperation():
			idle = append(idle, s)
		default:
			begun = append(begun, s)
		}
	}
	if victim != nil && !a.preempting && len(a.preemptions) > 0 {
		if h := a.preemptions[0]; slices.Contains(h.before, victim.what) || h.before == nil && h.after == a.ran {
			a.preempting, a.left, a.ran, a.preemptions = true, h.operations, 0, a.preemptions[1:]
		}
	}
	if victim != nil && !a.preempting {
		a.ran++
		return victim
	}
	others := begun
	if a.preempting && a.left > 0 || victim == nil {
		others = append(others, idle...)
	}
	if len(others) == 0 {
		a.preempting = false
		a.ran++
		return victim
	}
	s := a.others.next(others)
	if s.isOperation() && a.preempting {
		a.left--
	}
	return s
}
