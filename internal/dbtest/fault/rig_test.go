package fault_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/internal/dbtest/engine"
	"github.com/hookhouse/hookhouse/internal/dbtest/fault"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

const (
	tries   = 8
	tooLong = 30 * time.Second // for any one call: it hangs
)

// A rig is an inbox on a database that breaks, those who use it by the rules,
// and an eye on the tables that does not break.
type rig struct {
	inbox *sqlinbox.Inbox
	db    *sql.DB
	plan  *fault.Plan
	eye   *sql.DB

	mu       sync.Mutex
	minted   int
	waiting  map[int]context.CancelFunc
	messages map[string]*message // by each UID that was tried
	order    []*message
	swept    map[string]bool
	wrong    []string
}

// A message is what a sender wants handled: one, however often it is sent.
type message struct {
	name     string
	key, id  string
	marks    []string
	coalesce bool
	uids     []string // of each try
	known    []string // acknowledged, by nil or as the one it repeats
	end      string   // what the worker makes of it: see scenario
	runs     int      // that the worker has settled
}

// newRig returns a rig without tables on an empty store.
func newRig(s engine.Store) (*rig, error) {
	db, plan, err := fault.Open(s.Driver, s.DSN)
	if err != nil {
		return nil, err
	}
	eye, err := s.Open()
	if err != nil {
		return nil, err
	}
	db.SetMaxIdleConns(4)
	r := &rig{
		inbox: sqlinbox.New(db, s.Dialect()), db: db, plan: plan, eye: eye,
		waiting: make(map[int]context.CancelFunc), messages: make(map[string]*message), swept: make(map[string]bool),
	}
	r.inbox.Retention, r.inbox.DeadRetention = time.Microsecond, time.Microsecond
	r.inbox.Logger = slog.New(slog.DiscardHandler)
	plan.Impatient = r.giveUp
	return r, nil
}

// openRig returns a rig with the inbox's tables, and closes it at the end of the
// test.
func openRig(t *testing.T, s engine.Store) *rig {
	t.Helper()
	r, err := newRig(s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.close(); err != nil {
			t.Error(err)
		}
	})
	if err := r.inbox.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return r
}

// report fails the test for each complaint.
func (r *rig) report(t *testing.T) {
	t.Helper()
	for _, complaint := range r.wrong {
		t.Error(complaint)
	}
}

func (r *rig) close() error { return errors.Join(r.inbox.Close(), r.db.Close(), r.eye.Close()) }

func (r *rig) complain(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.wrong = append(r.wrong, fmt.Sprintf(format, args...))
}

// giveUp ends the contexts of all calls under way.
func (r *rig) giveUp() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, cancel := range r.waiting {
		cancel()
	}
}

// try calls once, and complains when that takes too long.
func (r *rig) try(what string, call func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), tooLong)
	defer cancel()
	r.mu.Lock()
	r.minted++
	n := r.minted
	r.waiting[n] = cancel
	r.mu.Unlock()
	err := call(ctx)
	r.mu.Lock()
	delete(r.waiting, n)
	r.mu.Unlock()
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		r.complain("%s hangs: %v", what, err)
	}
	return err
}

// insist calls until it succeeds or fails with one of the given errors, which
// is returned.
func (r *rig) insist(what string, call func(ctx context.Context) error, answers ...error) error {
	var err error
	for range tries {
		err = r.try(what, call)
		if err == nil || slices.ContainsFunc(answers, func(a error) bool { return errors.Is(err, a) }) {
			return err
		}
	}
	r.complain("%s fails for good: %v", what, err)
	return err
}

// mint makes the delivery of another try, as a Receiver does.
func (r *rig) mint(m *message) *webhook.Delivery {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.minted++
	d := &webhook.Delivery{
		UID: fmt.Sprintf("uid%04d", r.minted), Source: "alpha", ID: m.id, Type: "alpha.push", OrderingKey: m.key,
		DedupKeys: m.marks, Header: http.Header{"X-Name": {m.name}}, Body: []byte("body of " + m.name), ReceivedAt: time.Now(),
	}
	if m.coalesce {
		d.Coalesce = webhook.Coalesce{Quiet: time.Microsecond}
	}
	m.uids = append(m.uids, d.UID)
	r.messages[d.UID] = m
	if !slices.Contains(r.order, m) {
		r.order = append(r.order, m)
	}
	return d
}

// send is a sender: what is answered 503 is sent again. It reports whether it
// was told that the message is known.
func (r *rig) send(m *message) (duplicate bool) {
	for range tries {
		d := r.mint(m)
		err := r.try("put", func(ctx context.Context) error { return webhook.Store(r.inbox).Handle(ctx, d) })
		switch status := webhook.StatusCode(err); status {
		case http.StatusAccepted:
			r.acknowledge(m, d.UID, err)
			return err != nil
		case http.StatusServiceUnavailable:
		default:
			r.complain("%s was answered %d: %v", m.name, status, err)
		}
	}
	r.complain("%s was never stored", m.name)
	return false
}

func (r *rig) acknowledge(m *message, uid string, err error) {
	var known *webhook.DuplicateError
	if errors.As(err, &known) {
		uid = known.UID
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	m.known = append(m.known, uid)
}

// inTx is a program's own transaction around f, tried again until it commits.
// ErrDuplicate and ErrClaimLost from f end it: it was done before, or is
// another's.
func (r *rig) inTx(what string, f func(ctx context.Context, tx *sql.Tx) error) error {
	return r.insist(what, func(ctx context.Context) error {
		tx, err := r.db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		if err := f(ctx, tx); err != nil {
			_ = tx.Rollback()
			return err
		}
		return tx.Commit()
	}, webhook.ErrDuplicate, webhook.ErrClaimLost)
}
