package model

import (
	"context"
	"database/sql"
	"errors"
	"sync/atomic"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// A client has an inbox of its own, as a process has. It makes one call at a time.
type client struct {
	n       int
	name    string
	source  string // of what it puts
	db      *sql.DB
	inbox   *sqlinbox.Inbox
	mutant  *mutant             // nil on SQLite
	level   string              // of isolation, by default
	run     atomic.Pointer[run] // nil means that its statements do not pause
	history *history
	doing   verb
	claims  []webhook.Claim // not settled, oldest first
}

// pause waits before a statement until the run resumes it. Call the returned func
// when the statement has returned.
func (p *client) pause(what string, pid uint32) (passed func(error)) {
	r := p.run.Load()
	if r == nil {
		return func(error) {}
	}
	s := &pause{client: p, what: what, pid: pid, resumed: make(chan struct{})}
	r.send(event{client: p, pause: s})
	select {
	case <-s.resumed:
	case <-r.abandoned:
	}
	if s.isOperation() {
		return nil
	}
	return func(err error) {
		e := event{client: p, pause: s}
		if err != nil {
			e.result = err.Error()
		}
		r.send(e)
	}
}

// play runs the program, one operation after the other.
func (p *client) play(ctx context.Context, pl *plan, program []op) {
	for _, o := range program {
		p.pause(o.describe(pl.specs), 0)
		result := p.do(ctx, pl, o)
		if r := p.run.Load(); r != nil {
			r.send(event{client: p, result: result})
		}
	}
}

// do runs o, notes the result, and returns it as text.
func (p *client) do(ctx context.Context, pl *plan, o op) string {
	p.doing = o.verb
	switch o.verb {
	case putting:
		e := p.history.begin(p, o)
		e.put = pl.specs[o.specs[0]]
		return p.history.end(e, p.inbox.Put(ctx, p.delivery(e.put)))
	case puttingTx:
		return p.transact(ctx, pl, o, nil)
	case claiming:
		return p.claim(ctx, p, o)
	case sweeping:
		e := p.history.begin(p, o)
		var err error
		e.n, err = p.inbox.Sweep(ctx)
		return p.history.end(e, err)
	case replaying:
		f := webhook.Filter{States: []webhook.State{webhook.Dead}}
		if !o.all {
			f = webhook.Filter{UID: pl.specs[o.specs[0]].uid}
		}
		e := p.history.begin(p, o)
		var err error
		e.n, err = p.inbox.ReplayEvery(ctx, f, p.note(), o.every)
		return p.history.end(e, err)
	case burying, discarding, pausing, resuming:
		return p.administer(ctx, pl, o)
	case releasing:
		uid := ""
		switch {
		case !o.all:
			uid = pl.specs[o.specs[0]].uid
		case len(p.claims) > 0:
			uid = p.claims[0].Delivery.UID
		default:
			return "nothing to release"
		}
		e := p.history.begin(p, o)
		e.uid = uid
		return p.history.end(e, p.inbox.Release(ctx, uid))
	}
	if len(p.claims) == 0 {
		return "no claim"
	}
	c := p.claims[0]
	switch o.verb {
	case extending:
		e := p.history.begin(p, o)
		e.concerns(c)
		return p.history.end(e, p.inbox.Extend(ctx, c, time.Hour))
	case settling:
		p.claims = p.claims[1:]
		return p.settle(ctx, c, o)
	case settlingTx, inTx:
		p.claims = p.claims[1:]
		return p.transact(ctx, pl, o, &c)
	}
	panic("model: no such verb: " + o.verb)
}

func (p *client) delivery(l *spec) *webhook.Delivery {
	d := &webhook.Delivery{UID: l.uid, Source: p.source, ID: l.id, Type: l.typ, OrderingKey: l.key, DedupKeys: l.dedupKeys, Coalesce: l.coalesce,
		Body: []byte(l.uid), ReceivedAt: time.Now()}
	if l.delayed {
		d.NotBefore = d.ReceivedAt.Add(time.Hour)
	}
	return d
}

// claim adds what it claims to the claims of holder.
func (p *client) claim(ctx context.Context, holder *client, o op) string {
	lease := time.Hour
	if o.short {
		lease = time.Microsecond
	}
	e := p.history.begin(p, o)
	claims, err := p.inbox.Claim(ctx, webhook.ClaimOptions{N: o.n, Lease: lease, Types: o.types})
	e.claims = claims
	holder.claims = append(holder.claims, claims...)
	return p.history.end(e, err)
}

func (p *client) settle(ctx context.Context, c webhook.Claim, o op) string {
	if c.Delivery.Body == nil {
		e := p.history.begin(p, op{verb: beginning})
		e.concerns(c)
		begun, err := c, error(nil)
		if c.Suspect {
			begun, err = p.inbox.Begin(ctx, c)
		}
		if result := p.history.end(e, err); err != nil {
			return result
		}
		c = begun
	}
	e := p.history.begin(p, o)
	e.concerns(c)
	var err error
	e.state, err = p.inbox.Settle(ctx, c, o.outcome)
	return p.history.end(e, err)
}

const beginning verb = "Begin"

var errRolledBack = errors.New("rolled back on purpose")

// transact runs o in a transaction, which settles c if that is not nil. Then it does
// what a Worker does: it settles the claim if the transaction did not.
func (p *client) transact(ctx context.Context, pl *plan, o op, c *webhook.Claim) string {
	var entries []*call
	put := func(ctx context.Context, tx *sql.Tx) error {
		if o.reads {
			var n int
			if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM orders").Scan(&n); err != nil {
				return err
			}
		}
		for _, n := range o.specs {
			e := p.history.begin(p, op{verb: puttingTx})
			e.put = pl.specs[n]
			if c != nil {
				e.concerns(*c)
			}
			entries = append(entries, e)
			e.err = p.inbox.PutTx(ctx, tx, p.delivery(e.put))
			if e.err != nil && !errors.Is(e.err, webhook.ErrDuplicate) {
				return e.err
			}
		}
		if o.rollback {
			return errRolledBack
		}
		return nil
	}
	var settled *call
	if c != nil {
		settled = p.history.begin(p, o)
		settled.concerns(*c)
		entries = append(entries, settled)
		settled.state = settled.wanted()
	}
	var err error
	if o.verb == inTx {
		ran := inCallback(ctx, *c, func(ctx context.Context) {
			err = p.inbox.InTx(ctx, func(tx *sql.Tx) error { return put(ctx, tx) })
		})
		err = errors.Join(err, ran)
	} else {
		err = p.ownTransaction(ctx, o.level, func(tx *sql.Tx) error {
			if err := put(ctx, tx); err != nil || c == nil {
				return err
			}
			return p.inbox.SettleTx(ctx, tx, *c, o.outcome)
		})
	}
	var result string
	for _, e := range entries {
		if e.err == nil || err != nil {
			e.err = err // the answer holds once it is committed
		}
		result = p.history.end(e, e.err)
	}
	if c != nil && (err == nil && o.settleAgain || err != nil && !o.rollback || o.rollback && o.settleAgain) {
		again := op{verb: settling, outcome: webhook.Outcome{State: webhook.Waiting, Reason: "failed"}}
		if err == nil {
			again.outcome = webhook.Outcome{State: webhook.Done}
		}
		result += "; settled once more: " + p.settle(ctx, *c, again)
	}
	return result
}

func (p *client) ownTransaction(ctx context.Context, level string, work func(tx *sql.Tx) error) error {
	tx, err := p.db.BeginTx(ctx, &sql.TxOptions{Isolation: p.isolation(level)})
	if err != nil {
		return err
	}
	if err := work(tx); err != nil {
		_ = tx.Rollback()
		return err
	}
	return tx.Commit()
}

// isolation returns the named isolation. SQLite has only its default.
func (p *client) isolation(name string) sql.IsolationLevel {
	if p.mutant == nil {
		return sql.LevelDefault
	}
	return levels[name]
}

var levels = map[string]sql.IsolationLevel{
	"read committed": sql.LevelReadCommitted, "repeatable read": sql.LevelRepeatableRead, "serializable": sql.LevelSerializable,
}
