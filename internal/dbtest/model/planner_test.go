package model

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// A planner draws a plan.
type planner struct {
	*plan
	rng        *rand.Rand
	keys       []string
	coalescing int // how many of ten deliveries
}

// random returns a source for one of the uses of a seed. Seeds that follow one
// another have nothing in common.
func random(seed, use uint64) *rand.Rand {
	return rand.New(rand.NewChaCha8(sha256.Sum256(fmt.Append(nil, seed, use))))
}

func newPlan(seed uint64) *plan {
	g := &planner{plan: &plan{seed: seed, turns: seed}, rng: random(seed, 1)}
	g.isolation = pick(g.rng, isolations...)
	g.keys = [][]string{{"a"}, {"a"}, {"a"}, {"a", "b"}, {"a", ""}}[g.rng.IntN(5)]
	if g.rng.IntN(10) < 3 {
		g.coalescing = 6
	}
	players := pick(g.rng, 2, 2, 3, 3, 3, 4)
	theme := g.rng.IntN(10)
	if theme < themes && g.rng.IntN(3) > 0 { // with nothing beside it
		g.keys, players = []string{"a"}, 2
	} else {
		for range g.rng.IntN(4) {
			g.begin(players)
		}
	}
	first, second := g.theme(theme)
	for n := range players {
		var program []op
		switch n {
		case 0:
			program = append(program, first...)
		case 1:
			program = append(program, second...)
		}
		for len(program) == 0 || g.rng.IntN(2) == 0 {
			program = append(program, g.ops(n == 0)...)
		}
		g.programs = append(g.programs, program)
	}
	return g.plan
}

// themes are how many of ten schedules have one.
const themes = 7

// theme draws what the first player begins with, and what gets in its way: the
// meetings that have been trouble before. Those from themes on have none.
func (g *planner) theme(n int) (first, second []op) {
	claim := op{verb: claiming, n: 1, types: []string{"t0", "t1"}}
	dead := op{verb: settling, outcome: webhook.Outcome{State: webhook.Dead, Reason: "dead"}}
	done := op{verb: settling, outcome: webhook.Outcome{State: webhook.Done}}
	switch n {
	case 0, 1: // a caller's transaction, while others put
		g.soft = []string{"settle", "lock_claim"}
		g.before = append(g.before, g.put(putting, false), claim)
		if g.rng.IntN(2) == 0 {
			g.isolation = pick(g.rng, isolations[1:]...)
		}
		first = append(first, g.inOwnTransaction(pick(g.rng, op{verb: inTx}, op{verb: settlingTx, outcome: g.outcome()})))
		return first, []op{g.put(putting, false), claim, done}[:1+2*g.rng.IntN(2)]
	case 2, 3, 4: // one that is dead runs again, while its key lives
		g.soft = []string{"demote_head", "promote"}
		g.before = append(g.before, g.marked(), claim, dead)
		first = append(first, op{verb: replaying, all: true})
		if g.rng.IntN(2) == 0 {
			first = []op{g.put(putting, true)}
		}
		return first, []op{g.put(putting, false), claim, done}
	case 5: // one that is dead is swept, while it comes again
		g.soft = []string{"find", "try_find", commit}
		g.before = append(g.before, g.marked(), claim, dead)
		first, second = []op{{verb: sweeping}}, []op{g.put(putting, true)}
		if g.rng.IntN(2) == 0 {
			first, second = second, first
		}
		return first, second
	case 6: // two calls of one event at once
		g.soft = []string{"supersede", "insert"}
		first = append(first, g.marked())
		return first, []op{g.put(putting, true)}
	default:
		return nil, nil
	}
}

// marked draws a delivery to put that has dedup keys.
func (g *planner) marked() op {
	o := g.put(putting, false)
	if p := g.parcels[o.parcels[0]]; p.id == "" {
		p.id, p.marks = "s"+p.uid, []string{"m" + p.uid}
	}
	return o
}

// begin draws what one delivery has been through.
func (g *planner) begin(players int) {
	holder := g.rng.IntN(players)
	o := op{verb: claiming, n: 1, holder: holder, types: g.types()}
	end := op{verb: settling, holder: holder, outcome: webhook.Outcome{State: webhook.Dead}}
	g.before = append(g.before, g.put(putting, g.rng.IntN(10) < 3))
	switch kind := g.rng.IntN(100); {
	case kind < 35:
		g.before = append(g.before, o, end)
	case kind < 42:
		end.outcome.State = webhook.Done
		g.before = append(g.before, o, end)
	case kind < 55:
		end.outcome = g.outcome()
		g.before = append(g.before, o, end)
	case kind < 65:
		o.short = true
		g.before = append(g.before, o)
	case kind < 90:
		if g.rng.IntN(2) == 0 {
			o.holder = 0
		}
		g.before = append(g.before, o)
	}
}

// ops draws what a player does next. The first player does more often what takes
// several statements: it is the one that others are let in between.
func (g *planner) ops(first bool) []op {
	table := []weight{{30, "put"}, {12, "claim"}, {12, "work"}, {25, "live"}, {10, "redeliver"}, {10, "settle"}, {5, "settleTx"}, {3, "inTx"},
		{5, "putTx"}, {5, "replay"}, {5, "release"}, {4, "sweep"}, {3, "extend"}}
	if first {
		table = []weight{{22, "replay"}, {18, "redeliver"}, {15, "settleTx"}, {10, "inTx"}, {12, "sweep"}, {10, "putTx"}, {10, "settle"},
			{8, "claim"}, {6, "release"}, {5, "put"}}
	}
	claim := op{verb: claiming, n: pick(g.rng, 1, 1, 3), short: g.rng.IntN(6) == 0, types: g.types()}
	settle := op{verb: settling, outcome: g.outcome()}
	switch draw(g.rng, table) {
	case "put":
		return []op{g.put(putting, g.rng.IntN(8) == 0)}
	case "claim":
		return []op{claim}
	case "work":
		return []op{claim, settle}
	case "live": // one call of a quiet key, worked off at once
		return []op{g.put(putting, false), {verb: claiming, n: 1, types: []string{"t0", "t1"}}, {verb: settling, outcome: webhook.Outcome{State: webhook.Done}}}
	case "redeliver":
		return []op{g.put(putting, true)}
	case "settle":
		return []op{settle}
	case "settleTx":
		settle.verb = settlingTx
		return []op{g.inOwnTransaction(settle)}
	case "inTx":
		return []op{g.inOwnTransaction(op{verb: inTx})}
	case "putTx":
		return []op{g.inOwnTransaction(g.put(puttingTx, g.rng.IntN(3) == 0))}
	case "replay":
		if len(g.parcels) == 0 || g.rng.IntN(2) == 0 {
			return []op{{verb: replaying, all: true}}
		}
		return []op{{verb: replaying, parcels: []int{g.rng.IntN(len(g.parcels))}}}
	case "release":
		if len(g.parcels) == 0 || g.rng.IntN(3) == 0 {
			return []op{{verb: releasing, all: true}}
		}
		return []op{{verb: releasing, parcels: []int{g.rng.IntN(len(g.parcels))}}}
	case "sweep":
		return []op{{verb: sweeping}}
	default:
		return []op{{verb: extending}}
	}
}

func (g *planner) inOwnTransaction(o op) op {
	if o.verb != inTx {
		o.level = g.isolation
		if g.rng.IntN(4) == 0 {
			o.level = pick(g.rng, isolations...)
		}
	}
	o.reads = g.rng.IntN(4) > 0
	o.undo = g.rng.IntN(8) == 0
	o.again = g.rng.IntN(3) > 0
	if o.verb != puttingTx && g.rng.IntN(4) == 0 || o.verb == puttingTx && g.rng.IntN(4) == 0 {
		o.parcels = append(o.parcels, g.put(puttingTx, g.rng.IntN(4) == 0).parcels...)
	}
	return o
}

// put draws a delivery; repeated, one that some other is, or may be, a duplicate of.
func (g *planner) put(v verb, repeated bool) op {
	n := len(g.parcels)
	p := &parcel{uid: fmt.Sprintf("d%d", n), key: pick(g.rng, g.keys...), typ: pick(g.rng, "t0", "t0", "t1")}
	if g.rng.IntN(10) < g.coalescing {
		p.coalesce = webhook.Coalesce{Quiet: pick(g.rng, time.Microsecond, time.Microsecond, time.Hour), Max: pick(g.rng, 0, time.Microsecond)}
	}
	if g.rng.IntN(10) < 7 {
		p.id = fmt.Sprintf("s%d", n)
		p.marks = []string{fmt.Sprintf("m%d", n)}
		if g.rng.IntN(3) == 0 {
			p.marks = append(p.marks, fmt.Sprintf("f%d", n))
		}
	}
	if repeated && n > 0 {
		first := g.rng.IntN(n)
		known := g.parcels[first]
		if g.rng.IntN(8) == 0 {
			return op{verb: v, parcels: []int{first}} // the same once more
		}
		if len(known.marks) > 0 {
			p.id, p.key, p.typ, p.marks, p.coalesce = known.id, known.key, known.typ, known.marks, known.coalesce
			switch g.rng.IntN(10) {
			case 0:
				p.id = "another" // a replay by somebody else
			case 1:
				p.marks = p.marks[:1]
			}
		}
	}
	g.parcels = append(g.parcels, p)
	return op{verb: v, parcels: []int{n}}
}

func (g *planner) types() []string {
	switch g.rng.IntN(8) {
	case 0:
		return nil
	case 1:
		return []string{"t0"}
	default:
		return []string{"t0", "t1"}
	}
}

func (g *planner) outcome() webhook.Outcome {
	switch n := g.rng.IntN(20); {
	case n < 10:
		return webhook.Outcome{State: webhook.Done}
	case n < 13:
		return webhook.Outcome{State: webhook.Dead, Reason: "dead"}
	case n < 14:
		return webhook.Outcome{State: webhook.Ignored}
	default:
		return webhook.Outcome{State: webhook.Waiting, Reason: "later", Delay: pick(g.rng, 0, 0, time.Hour), RetryOutOfOrder: g.rng.IntN(3) == 0, Uncounted: g.rng.IntN(4) == 0}
	}
}

type weight struct {
	n    int
	what string
}

func draw(rng *rand.Rand, table []weight) string {
	sum := 0
	for _, w := range table {
		sum += w.n
	}
	at := rng.IntN(sum)
	for _, w := range table {
		if at -= w.n; at < 0 {
			return w.what
		}
	}
	panic("model: unreachable")
}

func pick[T any](rng *rand.Rand, list ...T) T { return list[rng.IntN(len(list))] }
