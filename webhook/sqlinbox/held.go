package sqlinbox

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

const (
	// batchWait is how long a batch waits for what it cannot pass by: a mark that
	// another transaction is about to store. Once it has waited in vain its parts
	// do so for briefWait.
	batchWait = 50 * time.Millisecond
	briefWait = time.Millisecond
	// heldWait is how long a Put, and a page of a Replay, tries again while another
	// transaction holds the key. The first pause is heldFirst, each further one
	// twice as long, up to heldMost.
	heldWait  = 2 * time.Second
	heldFirst = 5 * time.Millisecond
	heldMost  = 50 * time.Millisecond
	// heldBytes is the size from which a delivery that was held is not sent along
	// before its key is free.
	heldBytes = 64 << 10
)

// errHeld: another transaction holds the key, the mark or the row. Nothing was
// changed; it is to be tried again after a pause.
var errHeld = errors.New("sqlinbox: another transaction holds the key")

// putHeld lets j join later batches, again and again, while it is held.
func (in *Inbox) putHeld(ctx context.Context, j *job) error {
	patience, cancel := context.WithTimeout(ctx, heldWait)
	defer cancel()
	for rest := heldFirst; ; rest = min(2*rest, heldMost) {
		if err := in.rest(patience, rest); err != nil {
			return heldError(ctx, err)
		}
		j.result, j.held, j.alone = nil, false, j.alone || j.put.size() >= heldBytes
		if err := in.submit(ctx, j); !errors.Is(err, errHeld) {
			return err
		}
	}
}

// inVain reports whether j, which is large and was held before, still is: this is
// asked without its body.
func (in *Inbox) inVain(ctx context.Context, j *job) bool {
	if !j.alone || j.put.size() < heldBytes || j.put.delivery.Key == "" {
		return false
	}
	_, err := in.lockKey(ctx, in.db, j.put.keyed(), grip{})
	j.held = errors.Is(err, errHeld)
	return j.held
}

// rest pauses for about d. Its error is the end of ctx, or that the inbox is
// closed meanwhile.
func (in *Inbox) rest(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d/2 + rand.N(d))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-in.queue.over:
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

// heldError tells why a wait ended: the end of ctx, which is the caller's,
// ErrClosed, or the end of patience.
func heldError(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, ErrClosed):
		return err
	}
	return fmt.Errorf("%w: waited for it for %v", errHeld, heldWait)
}

// lockTimeout is a duration as PostgreSQL reads it.
func lockTimeout(d time.Duration) string { return fmt.Sprintf("%dms", d.Milliseconds()) }
