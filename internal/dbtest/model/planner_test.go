package model

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// A planner draws a plan at random.
type planner struct {
	*plan
	rng        *rand.Rand
	keys       []string
	coalescing int // how many of ten deliveries
}

// random returns a source for one use of a seed. Sources of consecutive seeds are
// independent.
func random(seed, use uint64) *rand.Rand {
	return rand.New(rand.NewChaCha8(sha256.Sum256(fmt.Append(nil, seed, use))))
}

func newPlan(seed uint64) *plan {
	g := &planner{plan: &plan{seed: seed, orderSeed: seed}, rng: random(seed, 1)}
	g.isolation = pick(g.rng, isolations...)
	g.keys = [][]string{{"a"}, {"a"}, {"a"}, {"a", "b"}, {"a", ""}}[g.rng.IntN(5)]
	if g.rng.IntN(10) < 3 {
		g.coalescing = 6
	}
	clients := pick(g.rng, 2, 2, 3, 3, 3, 4)
	drawn := g.rng.IntN(12)
	if drawn < scenarios && g.rng.IntN(3) > 0 { // with nothing beside it
		g.keys, clients = []string{"a"}, 2
	} else {
		for range g.rng.IntN(4) {
			g.begin(clients)
		}
	}
	first, second := g.scenario(drawn)
	for n := range clients {
		var program []op
		switch n {
		case 0:
			program = append(program, first...)
		case 1:
			program = append(program, second...)
		}
		for len(program) == 0 || g.rng.IntN(2) == 0 {
			program = append(program, g.next(n == 0)...)
		}
		g.programs = append(g.programs, program)
	}
	return g.plan
}

// scenarios is how many of twelve schedules begin with a scenario.
const scenarios = 10

// scenario returns operations that have failed together before: those with which the
// first and the second client begin. It returns none if n is not below scenarios.
func (g *planner) scenario(n int) (first, second []op) {
	claim := op{verb: claiming, n: 1, types: []string{"t0", "t1"}}
	dead := op{verb: settling, outcome: webhook.Outcome{State: webhook.Dead, Reason: "dead"}}
	done := op{verb: settling, outcome: webhook.Outcome{State: webhook.Done}}
	switch n {
	case 0, 1: // a caller's transaction, while others put
		g.preemptBefore = known("settle", "lock_claim")
		g.before = append(g.before, g.put(putting, false), claim)
		if g.rng.IntN(2) == 0 {
			g.isolation = pick(g.rng, isolations[1:]...)
		}
		first = append(first, g.inOwnTransaction(pick(g.rng, op{verb: inTx}, op{verb: settlingTx, outcome: g.outcome()})))
		return first, []op{g.put(putting, false), claim, done}[:1+2*g.rng.IntN(2)]
	case 2, 3, 4: // a dead delivery is restarted while its key is in use
		g.preemptBefore = known("demote_head", "promote")
		g.before = append(g.before, g.putWithDedupKey(), claim, dead)
		first = append(first, op{verb: replaying, all: true})
		if g.rng.IntN(2) == 0 {
			first = []op{g.put(putting, true)}
		}
		return first, []op{g.put(putting, false), claim, done}
	case 5: // a dead delivery is swept while it is redelivered
		g.preemptBefore = append(known("find", "try_find"), commit)
		g.before = append(g.before, g.putWithDedupKey(), claim, dead)
		first, second = []op{pick(g.rng, op{verb: sweeping}, op{verb: discarding, all: true})}, []op{g.put(putting, true)}
		if g.rng.IntN(2) == 0 {
			first, second = second, first
		}
		return first, second
	case 6: // one event is sent twice at the same time
		g.preemptBefore = known("supersede", "insert")
		first = append(first, g.putWithDedupKey())
		return first, []op{g.put(putting, true)}
	case 7: // the newest of a burst supersedes a retry before a delivery of another type
		g.preemptBefore = known("supersede", "promote", "insert")
		retry := op{verb: settling, outcome: webhook.Outcome{State: webhook.Waiting, Delay: time.Hour, RetryOutOfOrder: g.rng.IntN(3) == 0}}
		g.before = append(g.before, g.burst("t0"), claim, retry, g.burst("t1"))
		if g.rng.IntN(3) == 0 {
			g.before = append(g.before, claim, retry)
		}
		return []op{g.burst("t0")}, []op{pick(g.rng, g.burst("t0"), g.put(putting, false), claim), claim, done}[:1+2*g.rng.IntN(2)]
	case 8: // a blocked delivery, or a head, is buried while its key is in use
		g.preemptBefore = append(known("promote"), commit)
		claim.holder = 1
		g.before = append(g.before, g.put(putting, false), claim, g.put(putting, false), g.put(putting, false))
		buried := len(g.specs) - 1 - g.rng.IntN(2)
		return []op{{verb: burying, specs: []int{buried}}}, []op{pick(g.rng, done, done, g.put(putting, false)), claim}
	case 9: // two retries let younger ones pass, and one of them is released or buried
		g.preemptBefore = append(known("demote_for_released", "promote"), commit)
		retry := op{verb: settling, outcome: webhook.Outcome{State: webhook.Waiting, Delay: time.Hour, RetryOutOfOrder: true}}
		g.before = append(g.before, g.put(putting, false), claim, retry, g.put(putting, false), claim, retry)
		last := []int{len(g.specs) - 1 - g.rng.IntN(2)}
		return []op{{verb: pick(g.rng, releasing, releasing, burying), specs: last}}, []op{g.put(putting, false), claim, done}[:1+2*g.rng.IntN(2)]
	default:
		return nil, nil
	}
}

// burst draws a put of a delivery that coalesces, of the first ordering key.
func (g *planner) burst(typ string) op {
	o := g.put(putting, false)
	p := g.specs[o.specs[0]]
	p.typ, p.key, p.coalesce = typ, g.keys[0], webhook.Coalesce{Quiet: time.Microsecond}
	return o
}

// maybeDelayed gives what o puts a NotBefore at times.
func (g *planner) maybeDelayed(o op) op {
	if g.rng.IntN(5) == 0 {
		g.specs[o.specs[0]].delayed = true
	}
	return o
}

// putWithDedupKey draws a put of a delivery that has dedup keys.
func (g *planner) putWithDedupKey() op {
	o := g.put(putting, false)
	if p := g.specs[o.specs[0]]; p.id == "" {
		p.id, p.dedupKeys = "s"+p.uid, []string{"m" + p.uid}
	}
	return o
}

// begin draws what happens to one delivery before the clients begin.
func (g *planner) begin(clients int) {
	holder := g.rng.IntN(clients)
	o := op{verb: claiming, n: 1, holder: holder, types: g.types()}
	end := op{verb: settling, holder: holder, outcome: webhook.Outcome{State: webhook.Dead}}
	g.before = append(g.before, g.maybeDelayed(g.put(putting, g.rng.IntN(10) < 3)))
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

// next draws what a client does next. The first client makes more calls that take
// several statements, since the scheduler preempts it.
func (g *planner) next(first bool) []op {
	table := []weight{{30, "put"}, {12, "claim"}, {12, "work"}, {25, "live"}, {10, "redeliver"}, {10, "settle"}, {5, "settleTx"}, {3, "inTx"},
		{5, "putTx"}, {5, "replay"}, {5, "release"}, {5, "bury"}, {3, "discard"}, {3, "pause"}, {2, "resume"}, {4, "sweep"}, {3, "extend"}}
	if first {
		table = []weight{{22, "replay"}, {18, "redeliver"}, {15, "settleTx"}, {10, "inTx"}, {12, "sweep"}, {10, "putTx"}, {10, "settle"},
			{8, "claim"}, {6, "release"}, {8, "bury"}, {6, "discard"}, {2, "pause"}, {2, "resume"}, {5, "put"}}
	}
	claim := op{verb: claiming, n: pick(g.rng, 1, 1, 3), short: g.rng.IntN(6) == 0, types: g.types()}
	settle := op{verb: settling, outcome: g.outcome()}
	switch draw(g.rng, table) {
	case "put":
		return []op{g.maybeDelayed(g.put(putting, g.rng.IntN(8) == 0))}
	case "claim":
		return []op{claim}
	case "work":
		return []op{claim, settle}
	case "live": // one delivery of an idle key, handled at once
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
		every := pick(g.rng, 0, 0, time.Microsecond, time.Hour)
		if len(g.specs) == 0 || g.rng.IntN(2) == 0 {
			return []op{{verb: replaying, all: true, every: every}}
		}
		return []op{{verb: replaying, specs: []int{g.rng.IntN(len(g.specs))}, every: every}}
	case "release":
		if len(g.specs) == 0 || g.rng.IntN(3) == 0 {
			return []op{{verb: releasing, all: true}}
		}
		return []op{{verb: releasing, specs: []int{g.rng.IntN(len(g.specs))}}}
	case "bury":
		if len(g.specs) == 0 {
			return []op{g.put(putting, false)}
		}
		return []op{{verb: burying, specs: []int{g.rng.IntN(len(g.specs))}}}
	case "discard":
		if len(g.specs) == 0 || g.rng.IntN(2) == 0 {
			return []op{{verb: discarding, all: true}}
		}
		return []op{{verb: discarding, specs: []int{g.rng.IntN(len(g.specs))}}}
	case "pause":
		return []op{{verb: pausing, types: g.pausable()}}
	case "resume":
		return []op{{verb: resuming, types: g.pausable()}}
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
	o.rollback = g.rng.IntN(8) == 0
	o.settleAgain = g.rng.IntN(3) > 0
	if o.verb != puttingTx && g.rng.IntN(4) == 0 || o.verb == puttingTx && g.rng.IntN(4) == 0 {
		o.specs = append(o.specs, g.put(puttingTx, g.rng.IntN(4) == 0).specs...)
	}
	return o
}

// put draws a put. If repeated, the delivery is likely to be a duplicate of another.
func (g *planner) put(v verb, repeated bool) op {
	n := len(g.specs)
	p := &spec{uid: fmt.Sprintf("d%d", n), key: pick(g.rng, g.keys...), typ: pick(g.rng, "t0", "t0", "t1")}
	if g.rng.IntN(10) < g.coalescing {
		p.coalesce = webhook.Coalesce{Quiet: pick(g.rng, time.Microsecond, time.Microsecond, time.Hour), Max: pick(g.rng, 0, time.Microsecond)}
	}
	if g.rng.IntN(10) < 7 {
		p.id = fmt.Sprintf("s%d", n)
		p.dedupKeys = []string{fmt.Sprintf("m%d", n)}
		if g.rng.IntN(3) == 0 {
			p.dedupKeys = append(p.dedupKeys, fmt.Sprintf("f%d", n))
		}
	}
	if repeated && n > 0 {
		first := g.rng.IntN(n)
		known := g.specs[first]
		if g.rng.IntN(8) == 0 {
			return op{verb: v, specs: []int{first}} // the same delivery again
		}
		if len(known.dedupKeys) > 0 {
			p.id, p.key, p.typ, p.dedupKeys, p.coalesce = known.id, known.key, known.typ, known.dedupKeys, known.coalesce
			switch g.rng.IntN(10) {
			case 0:
				p.id = "another" // a replay by somebody else
			case 1:
				p.dedupKeys = p.dedupKeys[:1]
			}
		}
	}
	g.specs = append(g.specs, p)
	return op{verb: v, specs: []int{n}}
}

// pausable draws what is paused or resumed: a type, or all.
func (g *planner) pausable() []string { return []string{pick(g.rng, "", "t0", "t0", "t1")} }

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
