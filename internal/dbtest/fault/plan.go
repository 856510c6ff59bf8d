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

// A Kind is a way to fail.
type Kind int

const (
	// Refuse: the operation is not executed, and fails. The connection stays open,
	// except for a commit or rollback: drivers do not leave a transaction open.
	Refuse Kind = iota + 1
	// LoseAnswer: it is executed, and reported as failed. The connection stays open,
	// except after a begin, which would leave it in an unknown transaction.
	LoseAnswer
	// Drop: the connection is closed before it is executed: driver.ErrBadConn.
	Drop
	// DropAfter: it is executed, then the connection is closed without an answer.
	DropAfter
	// Delay: it is executed after the caller has given up.
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

// Executed reports whether the operation may have been executed although it failed.
func (k Kind) Executed() bool { return k == LoseAnswer || k == DropAfter || k == Delay }

// ErrFault is the error of each Kind but Drop and Delay.
var ErrFault = errors.New("fault: on purpose")

// latency is how long Delay takes if the context of the operation does not end.
const latency = 5 * time.Millisecond

// A Plan says which operation fails, and how. It is safe for concurrent use.
type Plan struct {
	// Cancel, if not nil, is called by Delay. It ends the contexts of the callers. Set
	// it before Break.
	Cancel func()
	// Only, if not nil, says by its text whether an operation counts. Set it before Break.
	Only func(what string) bool

	mu     sync.Mutex
	before func(what string)
	after  func(what string)
	count  int
	at     int
	kind   Kind
	broke  string
}

// Break makes the n-th operation from now on fail, or none if n is zero. The count
// starts at zero again.
func (p *Plan) Break(n int, k Kind) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.count, p.at, p.kind, p.broke = 0, n, k, ""
}

// Watch sets funcs to call before and after each operation, with its text, in the
// goroutine that runs it: what they do comes between two operations. A nil func is
// not called.
func (p *Plan) Watch(before, after func(what string)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.before, p.after = before, after
}

// watched runs an operation between the funcs of Watch.
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

// Count returns the number of operations since Break.
func (p *Plan) Count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.count
}

// Broke returns which operation failed and how, or "" if none has.
func (p *Plan) Broke() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.broke
}

// next counts an operation and returns how it fails, or zero.
func (p *Plan) next(what string) Kind {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.Only != nil && !p.Only(what) {
		return 0
	}
	p.count++
	if p.count != p.at {
		return 0
	}
	first, _, _ := strings.Cut(strings.TrimSpace(what), "\n")
	p.broke = fmt.Sprintf("operation %d (%.60s) %s", p.count, first, p.kind)
	return p.kind
}

// run runs an operation of a connection as planned.
func (p *Plan) run(ctx context.Context, c *conn, what string, do func() error) error {
	return p.watched(what, func() error { return p.breaking(ctx, c, what, do) })
}

func (p *Plan) breaking(ctx context.Context, c *conn, what string, do func() error) error {
	if c.dropped {
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
		if p.Cancel != nil {
			p.Cancel()
		}
		late := time.NewTimer(latency)
		defer late.Stop()
		select {
		case <-ctx.Done():
		case <-late.C:
		}
	}
	return do()
}
