package webhook

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/hookhouse/hookhouse/internal/limit"
)

// The bounds of a MemInbox that sets none.
const (
	defaultMaxDeliveries = 100_000
	defaultMemBytes      = 256 << 20
	keysPerDelivery      = 4 // dedup keys
)

var (
	_ Inbox          = (*MemInbox)(nil)
	_ Admin          = (*MemInbox)(nil)
	_ NextDuer       = (*MemInbox)(nil)
	_ Sweeper        = (*MemInbox)(nil)
	_ PendingCounter = (*MemInbox)(nil)
	_ Cursors        = (*MemInbox)(nil)
	_ Knower         = (*MemInbox)(nil)
)

// MemInbox is an Inbox in memory, for tests and demos: a restart loses what it
// acknowledged. It keeps every law that package inboxtest states, and is an [Admin]
// too. The zero value is ready; set the fields before use. It is safe for
// concurrent use.
//
// Of each delivery it keeps the newest 20 failed attempts and the newest 20 replays,
// and of all deliveries together at most 16 MiB of them.
type MemInbox struct {
	// MaxDeliveries bounds the deliveries kept. Finished ones are deleted to make
	// room; if there are none, Put fails with [ErrOverloaded]. Zero means 100 000.
	MaxDeliveries int
	// MaxBytes bounds their bodies in the same way. Zero means 256 MiB.
	MaxBytes int64
	// Window is how long a dedup key is remembered. Zero means 30 days. The inbox
	// remembers at most four times MaxDeliveries and deletes the oldest first.
	Window time.Duration
	// Retention is how long deliveries that are [Done], [Superseded] or [Ignored] are
	// kept. Zero means 7 days; if negative, they are never swept.
	Retention time.Duration
	// DeadRetention is how long dead deliveries are kept. Zero means 90 days; if
	// negative, they are never swept.
	DeadRetention time.Duration
	// Logger gets a warning when dead deliveries are deleted, and what Pause, Resume, Bury,
	// GiveUp and Discard do. If nil, slog.Default.
	Logger *slog.Logger

	mu        sync.Mutex
	seq       int64
	bytes     int64
	live      int                          // unfinished ones
	liveBytes int64                        // of their bodies
	all       map[string]*memRecord        // by UID
	queues    map[memOrderingKey]*memQueue // unfinished ones with an ordering key
	bursts    map[memBurst]*memRecord      // the last that coalesces, if it is unfinished
	claimable map[memHeapKey]*memHeap      // Waiting and Claimed ones
	pauses    map[string]Pause             // by type; empty: all
	finished  memFinished                  // finished ones, but not dead ones
	dead      memFinished
	history   memHistory
	asked     map[string]bool // types that a Claim asked for
	askedAny  bool            // a Claim asked for every type
	dedupKeys map[memDedupKey]*memLastState
	seenKeys  []memSeenKey // in order of arrival
	cursors   map[string]string
	changed   chan struct{}
}

// DedupWindow returns Window, or its default. A catch-up compares it with how far back it looks.
func (m *MemInbox) DedupWindow() time.Duration { return positive(m.Window, limit.Window) }

// Put stores d; see [Inbox]. A full inbox is [ErrOverloaded].
func (m *MemInbox) Put(ctx context.Context, d *Delivery) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if d.UID == "" {
		return errors.New("webhook: delivery has no UID")
	}
	if _, err := limit.NotBefore(d.NotBefore); err != nil {
		return Permanent(fmt.Errorf("webhook: delivery %s: %w", d.UID, err))
	}
	deleted, err := m.put(d)
	deleted.warn(m.Logger, "dead deliveries are deleted to make room in the memory inbox")
	return err
}

// put stores d and returns which dead ones were deleted to make room.
func (m *MemInbox) put(d *Delivery) (deleted deadByType, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.init()
	now := time.Now()
	if s := m.duplicateOf(d, now); s != nil {
		return nil, m.duplicate(s, d, now)
	}
	deleted, err = m.makeRoom(int64(len(d.Body)))
	if err != nil {
		return deleted, err
	}
	m.seq++
	rec := &memRecord{d: copyDelivery(d), seq: m.seq, firstSeq: m.seq, due: now, notBefore: d.NotBefore, last: &memLastState{uid: d.UID, senderID: d.ID}}
	m.all[d.UID] = rec
	m.bytes += int64(len(d.Body))
	m.rememberKeys(rec, now)
	m.enqueue(rec, now)
	m.notify()
	return deleted, nil
}

// Volatile returns true: a restart loses what was acknowledged. A [Receiver]
// logs a warning about it.
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
		m.queues = make(map[memOrderingKey]*memQueue)
		m.bursts = make(map[memBurst]*memRecord)
		m.claimable = make(map[memHeapKey]*memHeap)
		m.pauses = make(map[string]Pause)
		m.dedupKeys = make(map[memDedupKey]*memLastState)
		m.asked = make(map[string]bool)
	}
}

func (m *MemInbox) notify() {
	if m.changed != nil {
		close(m.changed)
		m.changed = nil
	}
}
