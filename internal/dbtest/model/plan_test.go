package model

import (
	"fmt"
	"strings"

	"github.com/hookhouse/hookhouse/webhook"
)

// A plan is a schedule as drawn from its seed: what is there before, what each
// player does, and in which order their statements run.
type plan struct {
	seed      uint64
	turns     uint64 // the seed of the order
	isolation string // by default, of the players' connections
	parcels   []*parcel
	before    []op // done one after the other
	programs  [][]op
	soft      []string // statements of the first player before which it is likely to be hurt
}

// A parcel is a delivery to put.
type parcel struct {
	uid, key, typ string
	id            string // the sender's
	marks         []string
	coalesce      webhook.Coalesce
}

func (p *parcel) String() string {
	text := fmt.Sprintf("%s key=%q %s", p.uid, p.key, p.typ)
	if p.id != "" {
		text += " id=" + p.id
	}
	if len(p.marks) > 0 {
		text += fmt.Sprintf(" dedup keys=%v", p.marks)
	}
	if p.coalesce.Quiet > 0 {
		text += fmt.Sprintf(" quiet=%v", p.coalesce.Quiet)
	}
	return text
}

var isolations = []string{"read committed", "repeatable read", "serializable"}

// A verb is what a player does.
type verb string

const (
	putting    verb = "Put"
	puttingTx  verb = "PutTx"
	claiming   verb = "Claim"
	extending  verb = "Extend"
	settling   verb = "Settle"
	settlingTx verb = "SettleTx"
	inTx       verb = "InTx"
	replaying  verb = "Replay"
	releasing  verb = "Release"
	sweeping   verb = "Sweep"
)

// An op is one thing that a player does: one call, but for transactions.
type op struct {
	verb    verb
	parcels []int // to put; in a transaction, perhaps none
	holder  int   // gets the claims, before the players begin
	n       int
	short   bool // a lease that has ended at once
	types   []string
	outcome webhook.Outcome
	level   string // of the caller's own transaction
	reads   bool   // something first, in the transaction
	undo    bool   // rolls back
	again   bool   // settles once more afterwards, as a Worker does
	all     bool   // replays all that are dead, or releases what it holds
}

func (o op) describe(parcels []*parcel) string {
	var b strings.Builder
	fmt.Fprint(&b, o.verb)
	for _, n := range o.parcels {
		fmt.Fprintf(&b, " %v", parcels[n])
	}
	switch o.verb {
	case claiming:
		fmt.Fprintf(&b, " %d of %v", o.n, o.types)
		if o.short {
			b.WriteString(" for an instant")
		}
	case settling, settlingTx:
		fmt.Fprintf(&b, " as %s", o.outcome.State)
		if o.outcome.Delay > 0 {
			fmt.Fprintf(&b, " after %v", o.outcome.Delay)
		}
		if o.outcome.RetryOutOfOrder {
			b.WriteString(" yielding")
		}
	case replaying:
		if o.all {
			b.WriteString(" of all that are dead")
		}
	}
	if o.level != "" {
		fmt.Fprintf(&b, " in a transaction of %s", o.level)
	}
	if o.reads {
		b.WriteString(" that has read")
	}
	if o.undo {
		b.WriteString(" that is rolled back")
	}
	if o.again {
		b.WriteString(", settled again")
	}
	return b.String()
}

// String prints the plan so that it can be read.
func (p *plan) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "seed %d, order %d, default isolation %s\n", p.seed, p.turns, p.isolation)
	for _, o := range p.before {
		fmt.Fprintf(&b, "  before: %s", o.describe(p.parcels))
		if o.verb == claiming {
			fmt.Fprintf(&b, " for P%d", o.holder)
		}
		b.WriteByte('\n')
	}
	for n, program := range p.programs {
		for _, o := range program {
			fmt.Fprintf(&b, "  P%d: %s\n", n, o.describe(p.parcels))
		}
	}
	return b.String()
}
