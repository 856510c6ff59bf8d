package webhook_test

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookhouse/hookhouse/webhook"
)

// A fault is what happens to one call of an inbox.
type fault int

const (
	none    fault = iota
	refused       // it does nothing and says so
	unsaid        // it works, but the answer is an error
	orphan        // the caller gives up; it works a while later
	slow          // it works after a while, if the caller still waits
	late          // it works at once and answers after a while
)

// A way leads to an inbox that outlives the processes that use it.
type way struct {
	inbox *webhook.MemInbox
	fault func(op string) fault // op is the method
	delay func() time.Duration  // of slow, late and orphan

	mu   sync.Mutex
	cut  bool // the process was killed: nothing gets through
	puts []string
}

func (w *way) severed() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.cut
}

func (w *way) sever() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cut = true
}

func (w *way) call(ctx context.Context, op string, f func(ctx context.Context) error) error {
	what := w.fault(op)
	wait := func() {
		select {
		case <-time.After(w.delay()):
		case <-ctx.Done():
		}
	}
	switch what {
	case refused:
		return errBoom
	case orphan:
		<-ctx.Done()
		go func() {
			<-time.After(w.delay())
			_ = f(context.WithoutCancel(ctx))
		}()
		return ctx.Err()
	case slow:
		wait()
	}
	if w.severed() {
		return errBoom
	}
	err := f(ctx)
	switch what {
	case unsaid:
		err = errBoom
	case late:
		wait()
	}
	if w.severed() {
		return errBoom
	}
	return err
}

func (w *way) Put(ctx context.Context, d *webhook.Delivery) error {
	w.mu.Lock()
	w.puts = append(w.puts, d.UID)
	w.mu.Unlock()
	return w.call(ctx, "Put", func(ctx context.Context) error { return w.inbox.Put(ctx, d) })
}

// fetch is a call that brings something. An orphan's comes too late for it.
func fetch[T any](ctx context.Context, w *way, op string, f func(ctx context.Context) (T, error)) (T, error) {
	answer := make(chan T, 1)
	err := w.call(ctx, op, func(ctx context.Context) error {
		v, err := f(ctx)
		answer <- v
		return err
	})
	if err != nil {
		var zero T
		return zero, err
	}
	return <-answer, nil
}

func (w *way) Claim(ctx context.Context, o webhook.ClaimOptions) ([]webhook.Claim, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Second) // as a driver has
	defer cancel()
	return fetch(ctx, w, "Claim", func(ctx context.Context) ([]webhook.Claim, error) { return w.inbox.Claim(ctx, o) })
}

func (w *way) Changed() <-chan struct{} { return w.inbox.Changed() }

func (w *way) Extend(ctx context.Context, c webhook.Claim, lease time.Duration) error {
	return w.call(ctx, "Extend", func(ctx context.Context) error { return w.inbox.Extend(ctx, c, lease) })
}

func (w *way) Begin(ctx context.Context, c webhook.Claim) (webhook.Claim, error) {
	return fetch(ctx, w, "Begin", func(ctx context.Context) (webhook.Claim, error) { return w.inbox.Begin(ctx, c) })
}

func (w *way) Settle(ctx context.Context, c webhook.Claim, o webhook.Outcome) (webhook.State, error) {
	return fetch(ctx, w, "Settle", func(ctx context.Context) (webhook.State, error) { return w.inbox.Settle(ctx, c, o) })
}

func (w *way) Pending(ctx context.Context, most int) (int, error) {
	return fetch(ctx, w, "Pending", func(ctx context.Context) (int, error) { return w.inbox.Pending(ctx, most) })
}

// asked returns the UIDs that Put was asked to store, in order.
func (w *way) asked() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.puts)
}

// A spoolRig is a Spool over two inboxes whose faults a test sets.
type spoolRig struct {
	*webhook.Spool
	primary, local *way

	mu           sync.Mutex
	trouble      fault            // of primary
	localTrouble map[string]fault // by method
}

func newSpoolRig() *spoolRig {
	r := &spoolRig{}
	minute := func() time.Duration { return time.Minute }
	r.primary = &way{inbox: &webhook.MemInbox{}, delay: minute, fault: func(string) fault {
		r.mu.Lock()
		defer r.mu.Unlock()
		return r.trouble
	}}
	r.local = &way{inbox: &webhook.MemInbox{}, delay: minute, fault: func(op string) fault {
		r.mu.Lock()
		defer r.mu.Unlock()
		return r.localTrouble[op]
	}}
	r.Spool = webhook.NewSpool(r.primary, r.local)
	r.Logger = slog.New(slog.DiscardHandler)
	return r
}

func (r *spoolRig) set(f fault) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.trouble = f
}

func (r *spoolRig) setLocal(f fault, ops ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.localTrouble = make(map[string]fault)
	for _, op := range ops {
		r.localTrouble[op] = f
	}
}

// run lets the Spool look and runs it until stop, which returns how long that
// took.
func (r *spoolRig) run(t *testing.T) (stop func() time.Duration) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	pass(time.Second)
	return func() time.Duration {
		t.Helper()
		start := time.Now()
		cancel()
		require.NoError(t, <-done)
		took := time.Since(start)
		pass(2 * time.Minute) // what still was on its way
		return took
	}
}

// take hands over a delivery of the ordering key "key", which must be
// acknowledged, and returns how long that took.
func (r *spoolRig) take(t *testing.T, uid string) time.Duration {
	t.Helper()
	start := time.Now()
	require.NoError(t, r.Handle(t.Context(), &webhook.Delivery{UID: uid, Source: "alpha", Type: "alpha.event", OrderingKey: "key"}))
	return time.Since(start)
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
