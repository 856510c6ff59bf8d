package spool_test

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// A fault is what goes wrong with one call of an inbox.
type fault int

const (
	none       fault = iota
	refused          // it does nothing and says so
	replyLost        // it works, but the answer is an error
	storedLate       // the caller gives up; it works a while later
	slow             // it works after a while, if the caller still waits
	replyLate        // it works at once and answers after a while
)

// A faultyInbox is one process's access to an inbox that outlives the process.
type faultyInbox struct {
	inbox *webhook.MemInbox
	fault func(op string) fault // op is the method
	delay func() time.Duration  // of slow, replyLate and storedLate

	mu   sync.Mutex
	cut  bool // the process was killed: every call fails
	puts []string
}

func (in *faultyInbox) isCut() bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.cut
}

func (in *faultyInbox) disconnect() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.cut = true
}

func (in *faultyInbox) call(ctx context.Context, op string, f func(ctx context.Context) error) error {
	what := in.fault(op)
	wait := func() {
		select {
		case <-time.After(in.delay()):
		case <-ctx.Done():
		}
	}
	switch what {
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
	switch what {
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

// fetch is a call that brings something. With storedLate the result comes too late for it.
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
	ctx, cancel := context.WithTimeout(ctx, time.Second) // as a driver has
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

func (in *faultyInbox) Pending(ctx context.Context, most int) (int, error) {
	return fetch(ctx, in, "Pending", func(ctx context.Context) (int, error) { return in.inbox.Pending(ctx, most) })
}

// asked returns the UIDs that Put was asked to store, in order.
func (in *faultyInbox) asked() []string {
	in.mu.Lock()
	defer in.mu.Unlock()
	return slices.Clone(in.puts)
}
