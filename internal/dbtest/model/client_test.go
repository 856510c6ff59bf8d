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

// A player has an inbox of its own, as a process has. It does one thing at a time.
type player struct {
	n      int
	name   string
	source string // of what it puts
	db     *sql.DB
	inbox  *sqlinbox.Inbox
	wrong  *wrong              // nil on SQLite
	level  string              // of isolation, by default
	run    atomic.Pointer[run] // nil: its statements do not stop
	book   *book
	doing  verb
	claims []webhook.Claim // that it holds, oldest first
}

// stop waits before a statement until it may pass. What it returns is to be called
// when the statement has returned.
func (p *player) stop(what string, pid uint32) (passed func(error)) {
	r := p.run.Load()
	if r == nil {
		return func(error) {}
	}
	s := &stop{player: p, what: what, pid: pid, granted: make(chan struct{})}
	r.tell(event{player: p, stop: s})
	select {
	case <-s.granted:
	case <-r.free:
	}
	if s.isOperation() {
		return nil
	}
	return func(err error) {
		e := event{player: p, stop: s}
		if err != nil {
			e.result = err.Error()
		}
		r.tell(e)
	}
}

// play does the program, one operation after the other.
func (p *player) play(ctx context.Context, pl *plan, program []op) {
	for _, o := range program {
		p.stop(o.describe(pl.parcels), 0)
		result := p.do(ctx, pl, o)
		if r := p.run.Load(); r != nil {
			r.tell(event{player: p, result: result})
		}
	}
}

// do does o, writes down what came of it, and says so.
func (p *player) do(ctx context.Context, pl *plan, o op) string {
	p.doing = o.verb
	switch o.verb {
	case putting:
		e := p.book.begin(p, o)
		e.put = pl.parcels[o.parcels[0]]
		return p.book.end(e, p.inbox.Put(ctx, p.delivery(e.put)))
	case puttingTx:
		return p.transaction(ctx, pl, o, nil)
	case claiming:
		return p.claim(ctx, p, o)
	case sweeping:
		e := p.book.begin(p, o)
		var err error
		e.n, err = p.inbox.Sweep(ctx)
		return p.book.end(e, err)
	case replaying:
		f := webhook.Filter{States: []webhook.State{webhook.Dead}}
		if !o.all {
			f = webhook.Filter{UID: pl.parcels[o.parcels[0]].uid}
		}
		e := p.book.begin(p, o)
		var err error
		e.n, err = p.inbox.Replay(ctx, f, webhook.Note{By: p.name})
		return p.book.end(e, err)
	case releasing:
		uid := ""
		switch {
		case !o.all:
			uid = pl.parcels[o.parcels[0]].uid
		case len(p.claims) > 0:
			uid = p.claims[0].Delivery.UID
		default:
			return "nothing to release"
		}
		e := p.book.begin(p, o)
		e.uid = uid
		return p.book.end(e, p.inbox.Release(ctx, uid))
	}
	if len(p.claims) == 0 {
		return "no claim"
	}
	c := p.claims[0]
	switch o.verb {
	case extending:
		e := p.book.begin(p, o)
		e.about(c)
		return p.book.end(e, p.inbox.Extend(ctx, c, time.Hour))
	case settling:
		p.claims = p.claims[1:]
		return p.settle(ctx, c, o)
	case settlingTx, inTx:
		p.claims = p.claims[1:]
		return p.transaction(ctx, pl, o, &c)
	}
	panic("model: no such verb: " + o.verb)
}

func (p *player) delivery(l *parcel) *webhook.Delivery {
	return &webhook.Delivery{UID: l.uid, Source: p.source, ID: l.id, Type: l.typ, OrderingKey: l.key, DedupKeys: l.marks, Coalesce: l.coalesce,
		Body: []byte(l.uid), ReceivedAt: time.Now()}
}

// claim gives what it claims to holder.
func (p *player) claim(ctx context.Context, holder *player, o op) string {
	lease := time.Hour
	if o.short {
		lease = time.Microsecond
	}
	e := p.book.begin(p, o)
	claims, err := p.inbox.Claim(ctx, webhook.ClaimOptions{N: o.n, Lease: lease, Types: o.types})
	e.claims = claims
	holder.claims = append(holder.claims, claims...)
	return p.book.end(e, err)
}

func (p *player) settle(ctx context.Context, c webhook.Claim, o op) string {
	if c.Delivery.Body == nil {
		e := p.book.begin(p, op{verb: beginning})
		e.about(c)
		begun, err := c, error(nil)
		if c.Suspect {
			begun, err = p.inbox.Begin(ctx, c)
		}
		if result := p.book.end(e, err); err != nil {
			return result
		}
		c = begun
	}
	e := p.book.begin(p, o)
	e.about(c)
	var err error
	e.state, err = p.inbox.Settle(ctx, c, o.outcome)
	return p.book.end(e, err)
}

const beginning verb = "Begin"

var errUndone = errors.New("rolled back on purpose")

// transaction puts what o says in a transaction, settles c in it if that is not
// nil, and then does what a Worker does: it settles what the transaction did not.
func (p *player) transaction(ctx context.Context, pl *plan, o op, c *webhook.Claim) string {
	var entries []*entry
	put := func(ctx context.Context, tx *sql.Tx) error {
		if o.reads {
			var n int
			if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM orders").Scan(&n); err != nil {
				return err
			}
		}
		for _, n := range o.parcels {
			e := p.book.begin(p, op{verb: puttingTx})
			e.put = pl.parcels[n]
			if c != nil {
				e.about(*c)
			}
			entries = append(entries, e)
			e.err = p.inbox.PutTx(ctx, tx, p.delivery(e.put))
			if e.err != nil && !errors.Is(e.err, webhook.ErrDuplicate) {
				return e.err
			}
		}
		if o.undo {
			return errUndone
		}
		return nil
	}
	var settled *entry
	if c != nil {
		settled = p.book.begin(p, o)
		settled.about(*c)
		entries = append(entries, settled)
		settled.state = settled.wanted()
	}
	var err error
	if o.verb == inTx {
		ran := underClaim(ctx, *c, func(ctx context.Context) {
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
			e.err = err // what it says holds once it is committed
		}
		result = p.book.end(e, e.err)
	}
	if c != nil && (err == nil && o.again || err != nil && !o.undo || o.undo && o.again) {
		again := op{verb: settling, outcome: webhook.Outcome{State: webhook.Waiting, Reason: "failed"}}
		if err == nil {
			again.outcome = webhook.Outcome{State: webhook.Done}
		}
		result += "; settled once more: " + p.settle(ctx, *c, again)
	}
	return result
}

func (p *player) ownTransaction(ctx context.Context, level string, work func(tx *sql.Tx) error) error {
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

// isolation is the named one, and none on SQLite, which has but one.
func (p *player) isolation(name string) sql.IsolationLevel {
	if p.wrong == nil {
		return sql.LevelDefault
	}
	return levels[name]
}

var levels = map[string]sql.IsolationLevel{
	"read committed": sql.LevelReadCommitted, "repeatable read": sql.LevelRepeatableRead, "serializable": sql.LevelSerializable,
}
