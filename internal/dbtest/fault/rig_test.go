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
	tries       = 8
	callTimeout = 30 * time.Second // a call that takes longer hangs
)

// A rig is an inbox on a database that breaks, with its senders and its worker, and
// connections to the tables that do not break.
type rig struct {
	inbox  *sqlinbox.Inbox
	db     *sql.DB
	plan   *fault.Plan
	direct *sql.DB

	mu         sync.Mutex
	deliveries int
	cancels    map[int]context.CancelFunc
	messages   map[string]*message // by each UID that was tried
	sent       []*message
	swept      map[string]bool
	faults     []string
}

// A message is one event, however often its sender sends it.
type message struct {
	name         string
	key, id      string
	dedupKeys    []string
	coalesce     bool
	uids         []string // of each try
	acknowledged []string // UIDs that were stored, or of which a try was a duplicate
	outcome      string   // "again", "dies" or "effect"; see work
	runs         int      // settled by the worker
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
		inbox: sqlinbox.New(db, s.Dialect()), db: db, plan: plan, direct: eye,
		cancels: make(map[int]context.CancelFunc), messages: make(map[string]*message), swept: make(map[string]bool),
	}
	r.inbox.Retention, r.inbox.DeadRetention = time.Microsecond, time.Microsecond
	r.inbox.Logger = slog.New(slog.DiscardHandler)
	plan.Cancel = r.cancelAll
	return r, nil
}

// openRig returns a rig with the inbox's tables, and closes it at the end of the
// test.
func openRig(t *testing.T, s engine.Store) *rig {
	t.Helper()
	r, err := newRig(s)
	must(t, err)
	t.Cleanup(func() {
		if err := r.close(); err != nil {
			t.Error(err)
		}
	})
	must(t, r.inbox.Migrate(t.Context()))
	return r
}

// report fails the test for each fault.
func (r *rig) report(t *testing.T) {
	t.Helper()
	for _, fault := range r.faults {
		t.Error(fault)
	}
}

func (r *rig) close() error { return errors.Join(r.inbox.Close(), r.db.Close(), r.direct.Close()) }

func (r *rig) faultf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.faults = append(r.faults, fmt.Sprintf(format, args...))
}

// cancelAll ends the contexts of all calls that run.
func (r *rig) cancelAll() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, cancel := range r.cancels {
		cancel()
	}
}

// try calls once. A call that hangs is a fault.
func (r *rig) try(what string, call func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
	defer cancel()
	r.mu.Lock()
	r.deliveries++
	n := r.deliveries
	r.cancels[n] = cancel
	r.mu.Unlock()
	err := call(ctx)
	r.mu.Lock()
	delete(r.cancels, n)
	r.mu.Unlock()
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		r.faultf("%s hangs: %v", what, err)
	}
	return err
}

// retry calls until the call succeeds or returns one of the given errors, and returns
// the error. A call that always fails is a fault.
func (r *rig) retry(what string, call func(ctx context.Context) error, answers ...error) error {
	var err error
	for range tries {
		err = r.try(what, call)
		if err == nil || slices.ContainsFunc(answers, func(a error) bool { return errors.Is(err, a) }) {
			return err
		}
	}
	r.faultf("%s always fails: %v", what, err)
	return err
}

// newDelivery returns the delivery of another try, as a Receiver makes it.
func (r *rig) newDelivery(m *message) *webhook.Delivery {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.deliveries++
	d := &webhook.Delivery{
		UID: fmt.Sprintf("uid%04d", r.deliveries), Source: "alpha", ID: m.id, Type: "alpha.push", OrderingKey: m.key,
		DedupKeys: m.dedupKeys, Header: http.Header{"X-Name": {m.name}}, Body: []byte("body of " + m.name), ReceivedAt: time.Now(),
	}
	if m.coalesce {
		d.Coalesce = webhook.Coalesce{Quiet: time.Microsecond}
	}
	m.uids = append(m.uids, d.UID)
	r.messages[d.UID] = m
	if !slices.Contains(r.sent, m) {
		r.sent = append(r.sent, m)
	}
	return d
}

// send sends m as a sender does: again if it is answered 503. It reports whether the
// answer was that m is a duplicate.
func (r *rig) send(m *message) (duplicate bool) {
	for range tries {
		d := r.newDelivery(m)
		err := r.try("put", func(ctx context.Context) error { return webhook.Store(r.inbox).Handle(ctx, d) })
		switch status := webhook.StatusCode(err); status {
		case http.StatusAccepted:
			r.acknowledge(m, d.UID, err)
			return err != nil
		case http.StatusServiceUnavailable:
		default:
			r.faultf("%s was answered %d: %v", m.name, status, err)
		}
	}
	r.faultf("%s was never stored", m.name)
	return false
}

func (r *rig) acknowledge(m *message, uid string, err error) {
	var known *webhook.DuplicateError
	if errors.As(err, &known) {
		uid = known.UID
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	m.acknowledged = append(m.acknowledged, uid)
}

// inTx runs f in a transaction of the program, and again until that commits. If f
// returns ErrDuplicate or ErrClaimLost, inTx returns it: the work was done before, or
// is another's.
func (r *rig) inTx(what string, f func(ctx context.Context, tx *sql.Tx) error) error {
	return r.retry(what, func(ctx context.Context) error {
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
