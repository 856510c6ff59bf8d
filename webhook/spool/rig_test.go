package spool_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/spool"
)

// A rig is a Spool over two inboxes whose faults a test sets.
type rig struct {
	*spool.Spool
	primary, local *faultyInbox

	mu           sync.Mutex
	trouble      fault            // of primary
	localTrouble map[string]fault // by method
}

func newRig() *rig {
	r := &rig{}
	minute := func() time.Duration { return time.Minute }
	r.primary = &faultyInbox{inbox: &webhook.MemInbox{}, delay: minute, fault: func(string) fault {
		r.mu.Lock()
		defer r.mu.Unlock()
		return r.trouble
	}}
	r.local = &faultyInbox{inbox: &webhook.MemInbox{}, delay: minute, fault: func(op string) fault {
		r.mu.Lock()
		defer r.mu.Unlock()
		return r.localTrouble[op]
	}}
	r.Spool = spool.New(webhook.Store(r.primary), r.local)
	r.Logger = slog.New(slog.DiscardHandler)
	return r
}

func (r *rig) set(f fault) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.trouble = f
}

func (r *rig) setLocal(f fault, ops ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.localTrouble = make(map[string]fault)
	for _, op := range ops {
		r.localTrouble[op] = f
	}
}

// run starts Run, waits until it has checked local, and returns stop, which ends Run
// and returns how long that took.
func (r *rig) run(t *testing.T) (stop func() time.Duration) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	advance(time.Second)
	return func() time.Duration {
		t.Helper()
		start := time.Now()
		cancel()
		require.NoError(t, <-done)
		took := time.Since(start)
		advance(2 * time.Minute) // for calls that are still under way
		return took
	}
}

// take passes a delivery of the ordering key "key", which must be
// acknowledged, and returns how long that took.
func (r *rig) take(t *testing.T, uid string) time.Duration {
	t.Helper()
	start := time.Now()
	require.NoError(t, r.Handle(t.Context(), &webhook.Delivery{UID: uid, Source: "alpha", Type: "alpha.event", OrderingKey: "key"}))
	return time.Since(start)
}

var errBoom = errors.New("boom")

// synctestRun is a subtest in fake time. A goroutine that a Spool or a Worker leaves
// behind fails it.
func synctestRun(t *testing.T, name string, f func(t *testing.T)) {
	t.Run(name, func(t *testing.T) { synctest.Test(t, f) })
}

// advance lets fake time pass and waits until everything that is due has happened.
func advance(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// A plainInbox has none of the optional interfaces.
type plainInbox struct{ webhook.Inbox }

// start runs r until stop, which requires that Run returns nil.
func start(t *testing.T, r webhook.Runner) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	return func() {
		t.Helper()
		cancel()
		require.NoError(t, <-done)
	}
}

// putDelivery puts a delivery into an inbox; change may be nil.
func putDelivery(t *testing.T, in webhook.Inbox, uid string, change func(d *webhook.Delivery)) {
	t.Helper()
	d := &webhook.Delivery{UID: uid, Source: "alpha", Type: "alpha.event", Body: []byte(`{}`)}
	if change != nil {
		change(d)
	}
	require.NoError(t, in.Put(t.Context(), d))
}

func keyed(key string) func(d *webhook.Delivery) {
	return func(d *webhook.Delivery) { d.OrderingKey = key }
}

// stateOf returns the state of d, which is in the inbox.
func stateOf(t *testing.T, in webhook.Inbox, d *webhook.Delivery) webhook.State {
	t.Helper()
	known, ok := errors.AsType[*webhook.DuplicateError](in.Put(t.Context(), d))
	require.True(t, ok, "%s is not known", d.UID)
	return known.State
}

// settle ends a claim, which must succeed.
func settle(t *testing.T, in webhook.Inbox, c webhook.Claim, o webhook.Outcome) {
	t.Helper()
	_, err := in.Settle(t.Context(), c, o)
	require.NoError(t, err)
}

// finish claims every delivery that is due, settles it with the state, and returns how
// many there were.
func finish(t *testing.T, in webhook.Inbox, s webhook.State) int {
	t.Helper()
	claims, err := in.Claim(t.Context(), webhook.ClaimOptions{N: 1 << 20})
	require.NoError(t, err)
	for _, c := range claims {
		settle(t, in, c, webhook.Outcome{State: s})
	}
	return len(claims)
}

// inOrder claims all that primary has, one ordering key at a time.
func inOrder(t *testing.T, in webhook.Inbox) (uids []string) {
	t.Helper()
	for {
		claims, err := in.Claim(t.Context(), webhook.ClaimOptions{})
		require.NoError(t, err)
		if len(claims) == 0 {
			return uids
		}
		uids = append(uids, claims[0].Delivery.UID)
		settle(t, in, claims[0], webhook.Outcome{State: webhook.Done})
	}
}

func pendingIn(t *testing.T, in *webhook.MemInbox) int {
	t.Helper()
	n, err := in.Pending(t.Context(), 1<<20)
	require.NoError(t, err)
	return n
}
