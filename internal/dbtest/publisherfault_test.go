package dbtest

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/internal/dbtest/fault"
	"github.com/hookhouse/hookhouse/internal/dbtest/wait"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/publish"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// Whatever statement of a Publisher fails, in whatever way: each call returns a clear error or
// has done what it does, each event arrives, no attempt is spent, and no goroutine is left.
func TestAPublisherWhoseDatabaseFailsAtAnyStatementLosesNothing(t *testing.T) {
	for offset, e := range []engine{modernc, onPostgres(t)} {
		t.Run(e.Name, func(t *testing.T) {
			before := goroutines()
			t.Run("statements", func(t *testing.T) { breakEachStatement(t, e, offset) })
			noneLeft(t, before)
		})
	}
}

// breakEachStatement breaks each statement of a Publisher, begin and commit several times. Four
// at a time, each on a database of its own, since a run mostly waits for one.
func breakEachStatement(t *testing.T, e engine, offset int) {
	first := openFaulty(t, e)
	statements := first.statements(t)
	if len(statements) < 20 {
		t.Fatalf("a Publisher has the statements %q, want more", statements)
	}
	slices.SortStableFunc(statements, func(a, b string) int { return timesBroken(b) - timesBroken(a) }) // the longest first
	var next, runs atomic.Int64
	unbroken := make(chan string, len(statements))
	var lanes sync.WaitGroup
	for lane := range 4 {
		lanes.Go(func() {
			t.Run(fmt.Sprint("lane ", lane), func(t *testing.T) {
				s := openFaulty(t, e)
				for i := int(next.Add(1)) - 1; i < len(statements); i = int(next.Add(1)) - 1 {
					text := statements[i]
					s.plan.Only = func(what string) bool { return what == text }
					for nth := 1; nth <= timesBroken(text); nth++ {
						if s.publish(t, nth, fault.Kinds[(i+nth+offset)%4]) != "" {
							continue
						}
						if nth == 1 {
							unbroken <- text
						}
						break
					}
				}
				runs.Add(int64(s.runs))
			})
		})
	}
	lanes.Wait()
	if t.Logf("%d runs, %d statements, %d unbroken", runs.Load(), len(statements), len(unbroken)); len(unbroken) > len(statements)/10 { // some depend on chance
		close(unbroken)
		for text := range unbroken {
			t.Errorf("no fault hit the statement %q", text)
		}
	}
}

// timesBroken returns how often a statement is broken: begin and commit are many.
func timesBroken(text string) int {
	if len(text) < 20 {
		return 12
	}
	return 1
}

// A faulty is a database with connections that break by a plan, and others that do not.
type faulty struct {
	db      *sql.DB
	plan    *fault.Plan
	dialect *sqlinbox.Dialect
	healthy *sql.DB
	eye     *publish.Publisher // on the healthy connections
	runs    int
}

func openFaulty(t *testing.T, e engine) *faulty {
	t.Helper()
	name, dsn := e.store(t)
	in, healthy := e.reopen(t, name, dsn)
	run(t, healthy, "CREATE TABLE effects (uid TEXT PRIMARY KEY)")
	db, plan, err := fault.Open(name, dsn)
	must(t, err)
	t.Cleanup(func() { _ = db.Close() })
	return &faulty{db: db, plan: plan, dialect: e.Dialect, healthy: healthy, eye: publisher(t, in, nil)}
}

// statements returns the texts of all statements of a run in which nothing breaks.
func (s *faulty) statements(t *testing.T) []string {
	t.Helper()
	var mu sync.Mutex
	seen := make(map[string]bool)
	s.plan.Watch(func(what string) {
		mu.Lock()
		defer mu.Unlock()
		seen[what] = true
	}, nil)
	s.publish(t, 0, 0)
	s.plan.Watch(nil, nil)
	return slices.Sorted(maps.Keys(seen))
}

// publish uses a Publisher in all ways while the nth of the operations that count breaks. It
// returns what broke.
func (s *faulty) publish(t *testing.T, nth int, kind fault.Kind) (broke string) {
	t.Helper()
	s.runs++
	began := time.Now()
	var received calls
	in := sqlinbox.New(s.db, s.dialect) // so that what an inbox does once is a part of each run
	store, _ := loggedStore(t, in, sealKey("first"))
	p := publish.New(in, store)
	p.Transport, p.Logger = &received, slog.New(slog.DiscardHandler)
	for _, w := range p.Workers() {
		w.Lease = time.Second
	}
	id, once := fmt.Sprintf("ep%d", s.runs), fmt.Sprintf("once %d", s.runs)
	run(t, s.healthy, "DELETE FROM effects")
	s.plan.Break(nth, kind)
	s.again(t, "Migrate", nil, func() error { return store.Migrate(t.Context()) })
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	s.again(t, "Create", publish.ErrExists, func() error {
		_, err := p.Create(t.Context(), publish.Endpoint{ID: id, URL: "https://" + id + "/", Events: []string{"*"}})
		return err
	})
	events := make(map[string]bool)
	s.again(t, "Publish", nil, func() error {
		event, err := p.Publish(t.Context(), publish.Event{Type: "small", Once: once})
		if err == nil {
			events[event] = true
		}
		return err
	})
	s.again(t, "PublishTx", nil, func() error {
		var event string
		err := in.Write(t.Context(), func(ctx context.Context, tx *sql.Tx) (err error) {
			if _, err = tx.ExecContext(ctx, "INSERT INTO effects (uid) VALUES ('one') ON CONFLICT DO NOTHING"); err != nil {
				return err
			}
			event, err = p.PublishTx(ctx, tx, publish.Event{Type: "large", Once: once + " tx", Payload: strings.Repeat("x", 80<<10)})
			return err
		})
		if err == nil {
			events[event] = true
		}
		return err
	})
	s.settles(t)
	s.again(t, "Rotate", nil, func() error {
		_, err := p.Rotate(t.Context(), id, webhook.Secret{}, time.Hour)
		return err
	})
	s.again(t, "Resume", nil, func() error {
		_, err := p.Resume(t.Context(), id)
		return err
	})
	s.again(t, "Resend", nil, func() error {
		n, err := p.Resend(t.Context(), id, began, webhook.Note{By: "test"})
		if n > 0 {
			t.Errorf("Resend has sent %d again of what was delivered", n)
		}
		return err
	})
	s.wantSent(t, id, events, &received)
	s.again(t, "Delete", publish.ErrNotFound, func() error { return p.Delete(t.Context(), id) })
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("Run: %v", err)
	}
	broke = s.plan.Broke()
	s.plan.Break(0, 0)
	must(t, in.Close())
	if t.Failed() {
		t.Fatalf("after %q", broke)
	}
	return broke
}

// again calls until nothing fails. The error of the operation that breaks must be found in
// that of the call. After it, the error done means that the call has been made before.
func (s *faulty) again(t *testing.T, what string, done error, call func() error) {
	t.Helper()
	for range 3 {
		err := call()
		if err == nil || s.plan.Broke() != "" && done != nil && errors.Is(err, done) {
			return
		}
		if !errors.Is(err, fault.ErrFault) && !errors.Is(err, driver.ErrBadConn) && !errors.Is(err, sql.ErrConnDone) {
			t.Errorf("%s: %v, want the error of the database", what, err)
		}
	}
	t.Errorf("%s fails again and again", what)
}

// settles waits until everything is settled. What a fault has put back is due at once.
func (s *faulty) settles(t *testing.T) {
	t.Helper()
	must(t, wait.Until(t.Context(), "everything is settled", func() bool {
		if s.plan.Broke() != "" {
			run(t, s.healthy, "UPDATE hookhouse_deliveries SET due_at = 0 WHERE state = 'waiting' AND due_at > 0")
		}
		return count(t, s.healthy, "hookhouse_deliveries WHERE finished_at IS NULL") == 0
	}))
}

// wantSent checks that the events have arrived at an endpoint: once, or twice if a settlement
// broke. Each attempt is the first one, and is recorded.
func (s *faulty) wantSent(t *testing.T, endpoint string, events map[string]bool, received *calls) {
	t.Helper()
	if n := count(t, s.healthy, "effects"); n != 1 || len(events) != 2 {
		t.Errorf("%d effects of the events %v, want 1 of 2", n, events)
	}
	received.mu.Lock()
	defer received.mu.Unlock()
	for event := range events {
		if n := received.got[event+" "+endpoint]; n < 1 || n > 2 {
			t.Errorf("%s has arrived %d times", event, n)
		}
	}
	recorded := 0
	for a, err := range s.eye.Attempts(t.Context(), publish.AttemptFilter{Endpoint: endpoint}) {
		must(t, err)
		if recorded++; a.Number != 1 || a.Result != publish.Delivered {
			t.Errorf("attempt %+v, want the first one, delivered", a)
		}
	}
	if recorded < 2 || recorded > 3 {
		t.Errorf("%d attempts are recorded, want those of 2 events", recorded)
	}
}
