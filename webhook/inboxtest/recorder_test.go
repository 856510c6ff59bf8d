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

// A recorder is a reporter that keeps what a law complains of.
type recorder struct {
	ctx context.Context

	mu         sync.Mutex
	complaints []string
}

func (r *recorder) Helper()                  {}
func (r *recorder) Context() context.Context { return r.ctx }

func (r *recorder) Errorf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.complaints = append(r.complaints, fmt.Sprintf(format, args...))
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	runtime.Goexit()
}

// broken returns which of the laws an inbox breaks, with the complaints.
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
			if len(r.complaints) > 0 {
				found[l.name] = r.complaints
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
			t.Errorf("two laws are called %q", name)
		}
		seen[name] = true
	}
}
