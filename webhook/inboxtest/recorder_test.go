package inboxtest

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

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

// broken returns those of the laws that an inbox breaks, each with its failures.
func broken(t *testing.T, laws []sweepLaw, open func(retention, deadRetention time.Duration) webhook.Inbox) map[string][]string {
	found := make(map[string][]string)
	try := func(l law, retention, deadRetention time.Duration) {
		synctest.Test(t, func(t *testing.T) {
			r := &recorder{ctx: t.Context()}
			done := make(chan struct{})
			go func() {
				defer close(done)
				l.check(&trial{reporter: r, fake: true, in: open(retention, deadRetention)})
			}()
			<-done
			if len(r.failures) > 0 {
				found[l.name] = r.failures
			}
		})
	}
	for _, l := range laws {
		try(l.law, l.retention, l.deadRetention)
	}
	return found
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
