package fault

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

// A Kind is a way to go wrong.
type Kind int

const (
	// Refuse: it is not executed, and fails. The connection goes on, but for the
	// end of a transaction, which drivers do not leave open.
	Refuse Kind = iota + 1
	// LoseAnswer: it is executed, and reported as failed. The connection goes on,
	// but for a begin, after which nobody could tell where it stands.
	LoseAnswer
	// Drop: the connection is gone before it is executed, as driver.ErrBadConn.
	Drop
	// DropAfter: it is executed, then the connection is gone without an answer.
	DropAfter
	// Delay: it is executed after the caller's patience has ended.
	Delay
)

// Kinds are all of them.
var Kinds = []Kind{Refuse, LoseAnswer, Drop, DropAfter, Delay}

// String says what happens.
func (k Kind) String() string {
	switch k {
	case Refuse:
		return "refused"
	case LoseAnswer:
		return "answer lost"
	case Drop:
		return "connection dropped before"
	case DropAfter:
		return "connection dropped after"
	case Delay:
		return "delayed past the context"
	}
	return "no fault"
}

// Executed reports whether what goes wrong may have been executed all the same.
func (k Kind) Executed() bool { return k == LoseAnswer || k == DropAfter || k == Delay }

// ErrFault is what goes wrong, except for Drop and Delay.
var ErrFault = errors.New("fault: on purpose")

// delay is how long Delay takes where the driver's own context does not end.
const delay = 5 * time.Millisecond

// A Plan says what goes wrong when. It is safe for concurrent use.
type Plan struct {
	// Impatient is called by Delay: it ends the contexts of those who wait. Set it
	// before Break. Zero means that nobody is impatient.
	Impatient func()

	mu     sync.Mutex
	before func(what string)
	after  func(what string)
	count  int
	at     int
	kind   Kind
	broke  string
}

// Break plans that the n-th operation from now on goes wrong. Zero n means none;
// the count begins anew.
func (p *Plan) Break(n int, k Kind) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.count, p.at, p.kind, p.broke = 0, n, k, ""
}

// Watch has before and after called around each operation, with its text, in the
// goroutine that does it: what they do meanwhile comes between two statements for
// certain. Nil means nothing is called.
func (p *Plan) Watch(before, after func(what string)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.before, p.after = before, after
}

// watched does an operation between the calls that Watch asks for.
func (p *Plan) watched(what string, do func() error) error {
	p.mu.Lock()
	before, after := p.before, p.after
	p.mu.Unlock()
	if before != nil {
		before(what)
	}
	if after != nil {
		defer after(what)
	}
	return do()
}

// Count is how many operations there were since Break.
func (p *Plan) Count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.count
}

// Broke says what went wrong; empty while nothing has.
func (p *Plan) Broke() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.broke
}

// next counts an operation and returns what happens to it.
func (p *Plan) next(what string) Kind {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.count++
	if p.count != p.at {
		return 0
	}
	first, _, _ := strings.Cut(strings.TrimSpace(what), "\n")
	p.broke = fmt.Sprintf("operation %d (%.60s) %s", p.count, first, p.kind)
	return p.kind
}

// run does an operation of a connection the way it is planned.
func (p *Plan) run(ctx context.Context, c *conn, what string, do func() error) error {
	return p.watched(what, func() error { return p.breaking(ctx, c, what, do) })
}

func (p *Plan) breaking(ctx context.Context, c *conn, what string, do func() error) error {
	if c.gone {
		return driver.ErrBadConn
	}
	switch k := p.next(what); k {
	case Refuse:
		if what == commit || what == rollback {
			c.drop()
		}
		return ErrFault
	case Drop:
		c.drop()
		return driver.ErrBadConn
	case LoseAnswer, DropAfter:
		if err := do(); err != nil {
			return err
		}
		if k == DropAfter || what == begin {
			c.drop()
		}
		return ErrFault
	case Delay:
		if p.Impatient != nil {
			p.Impatient()
		}
		late := time.NewTimer(delay)
		defer late.Stop()
		select {
		case <-ctx.Done():
		case <-late.C:
		}
	}
	return do()
}
