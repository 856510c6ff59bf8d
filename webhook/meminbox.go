package webhook

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"
)

// The bounds of a MemInbox that sets none.
const (
	defaultMaxDeliveries = 100_000
	defaultMemBytes      = 256 << 20
	defaultWindow        = 30 * 24 * time.Hour
	maxRevivals          = 3
	marksPerDelivery     = 4
)

// MemInbox is an Inbox in memory, for tests and demos: what it acknowledged is
// gone when the process ends. It keeps every law that package inboxtest
// states. The zero value is ready; set the fields before use. It is safe for
// concurrent use.
type MemInbox struct {
	// MaxDeliveries bounds the deliveries kept. Finished ones make room first;
	// after that Put fails with [ErrOverloaded]. Zero means 100 000.
	MaxDeliveries int
	// MaxBytes bounds their bodies in the same way. Zero means 256 MiB.
	MaxBytes int64
	// Window is how long a dedup key is remembered. Zero means 30 days. The inbox
	// remembers at most four times MaxDeliveries and forgets the oldest first.
	Window time.Duration
	// Retention is how long deliveries that are [Done], [Superseded] or [Ignored] are
	// kept. Zero means 7 days; if negative, they are never dropped.
	Retention time.Duration
	// DeadRetention is how long dead deliveries are kept. Zero means 90 days; if
	// negative, they are never dropped.
	DeadRetention time.Duration
	// Logger gets a warning when dead deliveries are dropped. If nil, slog.Default.
	Logger *slog.Logger

	mu        sync.Mutex
	seq       int64
	bytes     int64
	live      int                   // unfinished ones
	liveBytes int64                 // of their bodies
	all       map[string]*memRecord // by UID
	keys      map[memKey]*memQueue  // unfinished ones with an ordering key
	due       map[string]*memHeap   // Waiting and Claimed ones by type
	ended     memEnds               // finished ones, but for dead ones
	buried    memEnds               // dead ones
	asked     map[string]bool       // types that a Claim asked for
	askedAny  bool                  // a Claim asked for every type
	marks     map[memMark]*memFate
	markLog   []memMarked // in order of arrival
	changed   chan struct{}
}

// Put stores d; see [Inbox]. A full inbox is [ErrOverloaded].
func (m *MemInbox) Put(ctx context.Context, d *Delivery) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if d.UID == "" {
		return errors.New("webhook: delivery has no UID")
	}
	gone, err := m.put(d)
	gone.warn(m.Logger, "dead deliveries make room in the memory inbox")
	return err
}

// put is Put under the lock. It returns which dead ones made room.
func (m *MemInbox) put(d *Delivery) (gone deadByType, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.init()
	now := time.Now()
	if known := m.known(d, now); known != nil {
		return nil, m.duplicate(known, d, now)
	}
	gone, err = m.makeRoom(int64(len(d.Body)))
	if err != nil {
		return gone, err
	}
	m.seq++
	rec := &memRecord{d: copyDelivery(d), seq: m.seq, origin: m.seq, due: now, fate: &memFate{uid: d.UID, senderID: d.ID}}
	m.all[d.UID] = rec
	m.bytes += int64(len(d.Body))
	m.mark(rec, now)
	m.enqueue(rec, now)
	m.notify()
	return gone, nil
}

// Extend renews a lease; see [Inbox].
func (m *MemInbox) Extend(ctx context.Context, c Claim, lease time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	rec, err := m.held(c)
	if err != nil {
		return err
	}
	rec.due = time.Now().Add(lease)
	m.due[rec.d.Type].fix(rec)
	return nil
}

// Settle ends a claim; see [Inbox].
func (m *MemInbox) Settle(ctx context.Context, c Claim, o Outcome) (State, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	if o.State != Waiting && o.State != Done && o.State != Dead && o.State != Ignored {
		return "", fmt.Errorf("webhook: %q is not an outcome", o.State)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	rec, err := m.held(c)
	if err != nil {
		if rec != nil && rec.settled.fence == c.Fence && c.Fence != 0 {
			return rec.settled.state, nil
		}
		return "", err
	}
	now, came := time.Now(), o.State
	if o.State == Waiting && m.outdated(rec) {
		came = Superseded
	}
	rec.unclaim(o, came)
	if came == Waiting {
		rec.due, rec.retryOutOfOrder = now.Add(max(o.Delay, 0)), o.RetryOutOfOrder
		m.setState(rec, Waiting)
		m.promote(rec.key(), now)
	} else {
		m.finish(rec, came, now)
	}
	m.notify()
	return came, nil
}

// Volatile returns true: a restart loses what was acknowledged. A [Receiver] that
// stores here warns of that.
func (m *MemInbox) Volatile() bool { return true }

// Changed implements [Notifier].
func (m *MemInbox) Changed() <-chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.changed == nil {
		m.changed = make(chan struct{})
	}
	return m.changed
}

func (m *MemInbox) init() {
	if m.all == nil {
		m.all = make(map[string]*memRecord)
		m.keys = make(map[memKey]*memQueue)
		m.due = make(map[string]*memHeap)
		m.marks = make(map[memMark]*memFate)
		m.asked = make(map[string]bool)
	}
}

func (m *MemInbox) notify() {
	if m.changed != nil {
		close(m.changed)
		m.changed = nil
	}
}

// held returns the record that c is still the claim of. With the error it returns
// the record that c was a claim of, if there is one.
func (m *MemInbox) held(c Claim) (*memRecord, error) {
	if c.Delivery == nil {
		return nil, ErrClaimLost
	}
	rec := m.all[c.Delivery.UID]
	if rec == nil || rec.fate.state != Claimed || rec.fence != c.Fence {
		return rec, fmt.Errorf("%w: %s", ErrClaimLost, c.Delivery.UID)
	}
	return rec, nil
}

func copyDelivery(d *Delivery) *Delivery {
	own := *d
	own.Header = d.Header.Clone()
	own.DedupKeys = slices.Clone(d.DedupKeys)
	return &own
}
