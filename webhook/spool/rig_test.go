package spool_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/spool"
)

// A rig is a Spool over two inboxes whose faults a test sets.
type rig struct {
	*spool.Spool
	primary, local *faultyInbox

	mu           sync.Mutex
	primaryFault fault
	localFaults  map[string]fault // by method
}

func newRig() *rig {
	r := &rig{}
	minute := func() time.Duration { return time.Minute }
	r.primary = &faultyInbox{inbox: &webhook.MemInbox{}, delay: minute, fault: func(string) fault {
		r.mu.Lock()
		defer r.mu.Unlock()
		return r.primaryFault
	}}
	r.local = &faultyInbox{inbox: &webhook.MemInbox{}, delay: minute, fault: func(op string) fault {
		r.mu.Lock()
		defer r.mu.Unlock()
		return r.localFaults[op]
	}}
	r.Spool = spool.New(webhook.Store(r.primary), r.local)
	r.Logger = slog.New(slog.DiscardHandler)
	return r
}

// set sets the fault of every method of primary.
func (r *rig) set(f fault) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.primaryFault = f
}

// setLocal sets the fault of some methods of local. The others have none.
func (r *rig) setLocal(f fault, ops ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.localFaults = make(map[string]fault)
	for _, op := range ops {
		r.localFaults[op] = f
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
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		took := time.Since(start)
		advance(2 * time.Minute) // so that calls that are still running end
		return took
	}
}

// handle calls Handle with a delivery of the ordering key "key", which must be
// acknowledged, and returns how long that took.
func (r *rig) handle(t *testing.T, uid string) time.Duration {
	t.Helper()
	start := time.Now()
	if err := r.Handle(t.Context(), &webhook.Delivery{UID: uid, Source: "alpha", Type: "alpha.event", OrderingKey: "key"}); err != nil {
		t.Fatal(err)
	}
	return time.Since(start)
}

var errBoom = errors.New("boom")

// synctestRun runs a subtest in fake time. It fails if a goroutine of a Spool or a
// Worker is still running at the end.
func synctestRun(t *testing.T, name string, f func(t *testing.T)) {
	t.Run(name, func(t *testing.T) { synctest.Test(t, f) })
}

// advance advances the fake clock and waits until every goroutine is blocked.
func advance(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// A plainInbox is an Inbox without the optional interfaces.
type plainInbox struct{ webhook.Inbox }

// start starts r, and returns stop, which ends it and requires that Run returns nil.
func start(t *testing.T, r webhook.Runner) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	return func() {
		t.Helper()
		cancel()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
}

// putDelivery puts a delivery into an inbox; change may be nil.
func putDelivery(t *testing.T, in webhook.Inbox, uid string, change func(d *webhook.Delivery)) {
	t.Helper()
	d := &webhook.Delivery{UID: uid, Source: "alpha", Type: "alpha.event", Body: []byte(`{}`)}
	if change != nil {
		change(d)
	}
	if err := in.Put(t.Context(), d); err != nil {
		t.Fatal(err)
	}
}

// keyed returns a change for putDelivery that sets the ordering key.
func keyed(key string) func(d *webhook.Delivery) {
	return func(d *webhook.Delivery) { d.OrderingKey = key }
}

// stateOf returns the state of d, which must be in the inbox.
func stateOf(t *testing.T, in webhook.Inbox, d *webhook.Delivery) webhook.State {
	t.Helper()
	known, ok := errors.AsType[*webhook.DuplicateError](in.Put(t.Context(), d))
	if !ok {
		t.Fatalf("%s is not in the inbox", d.UID)
	}
	return known.State
}

// settle settles a claim, which must succeed.
func settle(t *testing.T, in webhook.Inbox, c webhook.Claim, o webhook.Outcome) {
	t.Helper()
	_, err := in.Settle(t.Context(), c, o)
	if err != nil {
		t.Fatal(err)
	}
}

// finish claims every delivery that is due, settles it with the state, and returns the
// number.
func finish(t *testing.T, in webhook.Inbox, s webhook.State) int {
	t.Helper()
	claims, err := in.Claim(t.Context(), webhook.ClaimOptions{N: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range claims {
		settle(t, in, c, webhook.Outcome{State: s})
	}
	return len(claims)
}

// inOrder claims every delivery of an inbox, one at a time, settles it as done, and
// returns the UIDs.
func inOrder(t *testing.T, in webhook.Inbox) (uids []string) {
	t.Helper()
	for {
		claims, err := in.Claim(t.Context(), webhook.ClaimOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if len(claims) == 0 {
			return uids
		}
		uids = append(uids, claims[0].Delivery.UID)
		settle(t, in, claims[0], webhook.Outcome{State: webhook.Done})
	}
}

// pendingIn returns the number of pending deliveries.
func pendingIn(t *testing.T, in *webhook.MemInbox) int {
	t.Helper()
	n, err := in.Pending(t.Context(), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
