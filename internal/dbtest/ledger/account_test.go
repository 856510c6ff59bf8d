package ledger_test

import (
	"errors"
	"fmt"
	"sync"

	"github.com/hookhouse/hookhouse/internal/dbtest/ledger"
	"github.com/hookhouse/hookhouse/webhook"
)

// An account compares what producers were answered and what ran with the plan.
// It is safe for concurrent use, also over net/rpc.
type account struct {
	mu      sync.Mutex
	book    ledger.Book[line]
	running map[string]string // by ordering key, the id of the one that runs
}

type entry = ledger.Entry[line]

// A line is what the account has of an event.
type line struct {
	event
	uid        string // as stored
	stored     int    // Puts that returned nil
	duplicates int    // Puts that returned ErrDuplicate
	ended      int    // runs
}

func newAccount() *account {
	return &account{book: ledger.NewBook[line](), running: make(map[string]string)}
}

// A Run is one call of a callback.
type Run struct {
	Name, UID string
	Attempt   int
	Fence     int64
}

// A Verdict is what the callback must return.
type Verdict int

// The verdicts.
const (
	Succeed  Verdict = iota // nil
	Fail                    // an error
	FailHard                // a Permanent error
)

// sending notes that a Put of e begins.
func (a *account) sending(e event) {
	a.mu.Lock()
	defer a.mu.Unlock()
	sent := a.book.Send(e.name, e.key)
	sent.Detail.event, sent.Optional = e, e.promise == burst && !e.last
}

// answered notes what Put returned.
func (a *account) answered(e event, uid string, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	sent := a.book.Entry(e.name)
	switch {
	case err == nil:
		sent.Detail.stored++
		sent.Detail.uid = uid
	case errors.Is(err, webhook.ErrDuplicate):
		sent.Detail.duplicates++
	default:
		a.book.Faultf("%s: Put failed: %v", e.name, err)
		return
	}
	a.book.Acknowledge(sent)
}

// Begin notes that a run begins, and says how it must end.
func (a *account) Begin(r Run, v *Verdict) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	e := a.book.Entry(r.Name)
	if e == nil {
		return fmt.Errorf("nobody sent %q", r.Name)
	}
	a.book.Begin(e)
	if e.Handled || e.Runs > e.Detail.ended+1 {
		a.book.Faultf("%s ran twice", r.Name)
	}
	if r.Attempt != e.Runs || r.Fence != int64(e.Runs) {
		a.book.Faultf("%s: run %d is attempt %d with fence %d", r.Name, e.Runs, r.Attempt, r.Fence)
	}
	if e.Key != "" {
		if other := a.running[e.Key]; other != "" {
			a.book.Faultf("%s and %s of one key ran at the same time", other, r.Name)
		}
		a.running[e.Key] = r.Name
	}
	switch {
	case e.Runs <= e.Detail.fails:
		*v = Fail
	case e.Detail.permanent:
		*v = FailHard
	default:
		*v = Succeed
	}
	return nil
}

// End notes that a run ends. It is called before the delivery is settled.
func (a *account) End(r Run, _ *struct{}) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	e := a.book.Entry(r.Name)
	if e == nil {
		return fmt.Errorf("nobody sent %q", r.Name)
	}
	if e.Detail.ended++; e.Runs > e.Detail.fails {
		a.book.Handle(e)
	}
	if a.running[e.Key] == r.Name {
		delete(a.running, e.Key)
	}
	return nil
}

func (a *account) faultf(format string, args ...any) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.book.Faultf(format, args...)
}
