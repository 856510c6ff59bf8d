package ledger

import (
	"errors"
	"fmt"
	"sync"

	"github.com/hookhouse/hookhouse/webhook"
)

// A ledger knows what was answered to the producers, and what ran. It has a
// clock of its own that goes up with each entry. It is safe for concurrent use.
type ledger struct {
	mu      sync.Mutex
	clock   int
	lines   map[string]*line    // by name
	running map[string]string   // by key, the name of the one that runs
	order   map[string][]string // by key, the names in order of their runs
	faults  faults
}

// A line is one event in the ledger.
type line struct {
	event
	begun        int    // when its first Put began
	acknowledged int    // when a Put of it was answered first
	uid          string // as stored
	stored       int    // Puts that were answered nil
	refused      int    // Puts that were answered as duplicates
	runs         int    // begun
	over         int    // runs that have ended
	finished     bool   // the last run succeeded, or failed for good
}

func newLedger() *ledger {
	return &ledger{lines: make(map[string]*line), running: make(map[string]string), order: make(map[string][]string)}
}

// A Run is one call of a callback, as it tells the ledger.
type Run struct {
	Name, UID string
	Attempt   int
	Fence     int64
}

// A Verdict is what the callback shall return.
type Verdict int

// The verdicts.
const (
	Succeed  Verdict = iota // nil
	Fail                    // an error
	FailHard                // one that is Permanent
)

// sending writes down that a Put of e begins.
func (l *ledger) sending(e event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.clock++
	if l.lines[e.name] == nil {
		l.lines[e.name] = &line{event: e, begun: l.clock}
	}
}

// answered writes down what Put said.
func (l *ledger) answered(e event, uid string, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.clock++
	line := l.lines[e.name]
	switch {
	case err == nil:
		line.stored++
		line.uid = uid
	case errors.Is(err, webhook.ErrDuplicate):
		line.refused++
	default:
		l.faults.add("%s: Put failed: %v", e.name, err)
		return
	}
	if line.acknowledged == 0 {
		line.acknowledged = l.clock
	}
}

// Begin writes down that a run begins, and says how it shall end.
func (l *ledger) Begin(r Run, v *Verdict) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.clock++
	line := l.lines[r.Name]
	if line == nil {
		return fmt.Errorf("nobody sent %q", r.Name)
	}
	line.runs++
	if line.finished || line.runs > line.over+1 {
		l.faults.add("%s was run twice", r.Name)
	}
	if r.Attempt != line.runs || r.Fence != int64(line.runs) {
		l.faults.add("%s: run %d is attempt %d with fence %d", r.Name, line.runs, r.Attempt, r.Fence)
	}
	if line.key != "" {
		if other := l.running[line.key]; other != "" {
			l.faults.add("%s and %s of one key ran at once", other, r.Name)
		}
		l.running[line.key] = r.Name
		l.order[line.key] = append(l.order[line.key], r.Name)
	}
	switch {
	case line.runs <= line.fails:
		*v = Fail
	case line.permanent:
		*v = FailHard
	default:
		*v = Succeed
	}
	return nil
}

// End writes down that a run ends. It is called before the delivery is settled.
func (l *ledger) End(r Run, _ *struct{}) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.clock++
	line := l.lines[r.Name]
	if line == nil {
		return fmt.Errorf("nobody sent %q", r.Name)
	}
	line.over++
	line.finished = line.runs > line.fails
	if l.running[line.key] == r.Name {
		delete(l.running, line.key)
	}
	return nil
}

// faults are what went wrong, in words.
type faults struct{ all []string }

func (f *faults) add(format string, args ...any) { f.all = append(f.all, fmt.Sprintf(format, args...)) }

// String is the first of them, and how many there are.
func (f faults) String() string {
	return fmt.Sprintf("%d faults; the first: %q", len(f.all), f.all[:min(len(f.all), 10)])
}
