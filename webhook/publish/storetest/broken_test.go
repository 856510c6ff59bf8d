package storetest

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/hookhouse/hookhouse/webhook/publish"
)

// A brokenLaw is a law and a change of a store that breaks this law only.
type brokenLaw struct {
	law    string
	breaks func(f *fault)
}

var faults = slices.Concat(
	creatingFaults, refusingFaults, updatingFaults, conflictFaults, renamingFaults, deletingFaults, listingFaults, matchingFaults,
	recordingFaults, failingFaults, againFaults, attemptFaults, sweepFaults, strangeFaults, contextFaults,
)

func TestABrokenStoreFailsTheLawItBreaks(t *testing.T) {
	for _, test := range faults {
		t.Run(test.law, func(t *testing.T) {
			found := broken(t, func() publish.Store {
				f := faulty()
				test.breaks(f)
				return f
			})
			if _, ok := found[test.law]; !ok {
				t.Errorf("the law does not fail")
			}
			delete(found, test.law)
			for name, failures := range found {
				t.Errorf("another law, %q, fails too: %s", name, failures)
			}
		})
	}
}

func TestAStoreWithoutFaultKeepsTheLaws(t *testing.T) {
	for name, failures := range broken(t, func() publish.Store { return faulty() }) {
		t.Errorf("%s: %s", name, failures)
	}
}

// A law that nothing breaks may be one that nothing can break.
func TestEveryLawIsBrokenByAStore(t *testing.T) {
	for _, name := range Laws() {
		if !slices.ContainsFunc(faults, func(b brokenLaw) bool { return b.law == name }) {
			t.Errorf("no store breaks the law that %s", name)
		}
	}
}

func TestTheLawsHaveDifferentNames(t *testing.T) {
	seen := make(map[string]bool)
	for _, name := range Laws() {
		if seen[name] {
			t.Errorf("two laws have the name %q", name)
		}
		seen[name] = true
	}
}

// A recorder is a reporter that records the failures of a law.
type recorder struct {
	ctx context.Context

	mu       sync.Mutex
	failures []string
}

func (r *recorder) Helper()                  {}
func (r *recorder) Context() context.Context { return r.ctx }

func (r *recorder) Errorf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failures = append(r.failures, fmt.Sprintf(format, args...))
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	runtime.Goexit()
}

// broken returns the laws that a store breaks, each with its failures. The time is fake, so
// that faults can wait for each other.
func broken(t *testing.T, open func() publish.Store) map[string][]string {
	found := make(map[string][]string)
	for _, l := range laws {
		synctest.Test(t, func(t *testing.T) {
			r := &recorder{ctx: t.Context()}
			done := make(chan struct{})
			go func() {
				defer close(done)
				l.check(&trial{reporter: r, store: open()})
			}()
			<-done
			if len(r.failures) > 0 {
				found[l.name] = r.failures
			}
		})
	}
	return found
}
