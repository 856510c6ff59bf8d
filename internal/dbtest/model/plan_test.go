package model

import (
	"fmt"
	"strings"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// A plan is a schedule that follows from its seed: what is stored before, what each
// client does, and in which order their statements run.
type plan struct {
	seed          uint64
	orderSeed     uint64 // the seed of the order
	isolation     string // the default of the clients' connections
	specs         []*spec
	before        []op // done one after the other
	programs      [][]op
	preemptBefore []string // preempts the first client before these statements
}

// A spec describes a delivery to put.
type spec struct {
	uid, key, typ string
	id            string // the sender's
	dedupKeys     []string
	coalesce      webhook.Coalesce
	delayed       bool // its NotBefore is an hour ahead
}

// supersedes reports whether p ends older deliveries like other that are not claimed.
func (p *spec) supersedes(other *spec) bool {
	return p.coalesce.Quiet > 0 && p.key != "" && p.key == other.key && p.typ == other.typ
}

func (p *spec) String() string {
	text := fmt.Sprintf("%s key=%q %s", p.uid, p.key, p.typ)
	if p.id != "" {
		text += " id=" + p.id
	}
	if len(p.dedupKeys) > 0 {
		text += fmt.Sprintf(" dedup keys=%v", p.dedupKeys)
	}
	if p.coalesce.Quiet > 0 {
		text += fmt.Sprintf(" quiet=%v", p.coalesce.Quiet)
	}
	if p.delayed {
		text += " not before an hour from now"
	}
	return text
}

var isolations = []string{"read committed", "repeatable read", "serializable"}

// A verb names what a client does.
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
	burying    verb = "Bury"
	discarding verb = "Discard"
	pausing    verb = "Pause"
	resuming   verb = "Resume"
	sweeping   verb = "Sweep"
)

// An op is one operation of a client: one call, or one transaction.
type op struct {
	verb        verb
	specs       []int // to put; in a transaction, perhaps none
	holder      int   // gets the claims, before the clients begin
	n           int
	short       bool          // the lease ends at once
	types       []string      // to claim; of Pause and Resume, one
	every       time.Duration // between two that are replayed
	outcome     webhook.Outcome
	level       string // of the caller's own transaction
	reads       bool   // something first, in the transaction
	rollback    bool   // rolls back
	settleAgain bool   // settles again afterwards, as a Worker does
	all         bool   // replays everything dead, discards everything finished, or releases its first claim
}

func (o op) describe(specs []*spec) string {
	var b strings.Builder
	fmt.Fprint(&b, o.verb)
	for _, n := range o.specs {
		fmt.Fprintf(&b, " %v", specs[n])
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
			b.WriteString(" out of order")
		}
	case replaying:
		if o.all {
			b.WriteString(" of all that are dead")
		}
		if o.every > 0 {
			fmt.Fprintf(&b, " every %v", o.every)
		}
	case discarding:
		if o.all {
			b.WriteString(" of all that are finished")
		}
	case pausing, resuming:
		fmt.Fprintf(&b, " of %q", o.types[0])
	}
	if o.level != "" {
		fmt.Fprintf(&b, " in a transaction of %s", o.level)
	}
	if o.reads {
		b.WriteString(" that has read")
	}
	if o.rollback {
		b.WriteString(" that is rolled back")
	}
	if o.settleAgain {
		b.WriteString(", settled again")
	}
	return b.String()
}

// String returns the plan in readable form.
func (p *plan) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "seed %d, order %d, default isolation %s\n", p.seed, p.orderSeed, p.isolation)
	for _, o := range p.before {
		fmt.Fprintf(&b, "  before: %s", o.describe(p.specs))
		if o.verb == claiming {
			fmt.Fprintf(&b, " for P%d", o.holder)
		}
		b.WriteByte('\n')
	}
	for n, program := range p.programs {
		for _, o := range program {
			fmt.Fprintf(&b, "  P%d: %s\n", n, o.describe(p.specs))
		}
	}
	return b.String()
}
