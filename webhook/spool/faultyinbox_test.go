package spool_test

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// A fault is the way in which a call of an inbox fails.
type fault int

const (
	none       fault = iota
	refused          // the call does nothing and returns an error
	replyLost        // the call succeeds, but returns an error
	storedLate       // the call takes effect a delay after the caller's context is done
	slow             // the call takes effect after a delay, unless the context is done by then
	replyLate        // the call takes effect at once, but returns after a delay
)

// A faultyInbox is the connection of a process to an inbox. The inbox continues to
// exist after the process.
type faultyInbox struct {
	inbox *webhook.MemInbox
	fault func(op string) fault // op is the method
	delay func() time.Duration  // of slow, replyLate and storedLate

	mu   sync.Mutex
	cut  bool     // the process was killed: every call fails
	puts []string // UIDs
}

func (in *faultyInbox) isCut() bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.cut
}

// disconnect makes every call fail from now on.
func (in *faultyInbox) disconnect() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.cut = true
}

// call calls f with the fault for op, which is the name of a method.
func (in *faultyInbox) call(ctx context.Context, op string, f func(ctx context.Context) error) error {
	current := in.fault(op)
	wait := func() {
		select {
		case <-time.After(in.delay()):
		case <-ctx.Done():
		}
	}
	switch current {
	case refused:
		return errBoom
	case storedLate:
		<-ctx.Done()
		go func() {
			<-time.After(in.delay())
			_ = f(context.WithoutCancel(ctx))
		}()
		return ctx.Err()
	case slow:
		wait()
	}
	if in.isCut() {
		return errBoom
	}
	err := f(ctx)
	switch current {
	case replyLost:
		err = errBoom
	case replyLate:
		wait()
	}
	if in.isCut() {
		return errBoom
	}
	return err
}

func (in *faultyInbox) Put(ctx context.Context, d *webhook.Delivery) error {
	in.mu.Lock()
	in.puts = append(in.puts, d.UID)
	in.mu.Unlock()
	return in.call(ctx, "Put", func(ctx context.Context) error { return in.inbox.Put(ctx, d) })
}

// fetch is call for a method with a result. With storedLate the result is lost.
func fetch[T any](ctx context.Context, in *faultyInbox, op string, f func(ctx context.Context) (T, error)) (T, error) {
	answer := make(chan T, 1)
	err := in.call(ctx, op, func(ctx context.Context) error {
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

func (in *faultyInbox) Claim(ctx context.Context, o webhook.ClaimOptions) ([]webhook.Claim, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Second) // like a database driver
	defer cancel()
	return fetch(ctx, in, "Claim", func(ctx context.Context) ([]webhook.Claim, error) { return in.inbox.Claim(ctx, o) })
}

func (in *faultyInbox) Changed() <-chan struct{} { return in.inbox.Changed() }

func (in *faultyInbox) Extend(ctx context.Context, c webhook.Claim, lease time.Duration) error {
	return in.call(ctx, "Extend", func(ctx context.Context) error { return in.inbox.Extend(ctx, c, lease) })
}

func (in *faultyInbox) Begin(ctx context.Context, c webhook.Claim) (webhook.Claim, error) {
	return fetch(ctx, in, "Begin", func(ctx context.Context) (webhook.Claim, error) { return in.inbox.Begin(ctx, c) })
}

func (in *faultyInbox) Settle(ctx context.Context, c webhook.Claim, o webhook.Outcome) (webhook.State, error) {
	return fetch(ctx, in, "Settle", func(ctx context.Context) (webhook.State, error) { return in.inbox.Settle(ctx, c, o) })
}

func (in *faultyInbox) Pending(ctx context.Context, limit int) (int, error) {
	return fetch(ctx, in, "Pending", func(ctx context.Context) (int, error) { return in.inbox.Pending(ctx, limit) })
}

// putUIDs returns the UIDs that Put was called with, in order.
func (in *faultyInbox) putUIDs() []string {
	in.mu.Lock()
	defer in.mu.Unlock()
	return slices.Clone(in.puts)
}
