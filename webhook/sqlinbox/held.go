package sqlinbox

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

const (
	// batchWait is how long a batch waits for what it cannot pass by: a dedup key
	// that another transaction is about to store. Once it has waited in vain its
	// parts do so for briefWait.
	batchWait = 50 * time.Millisecond
	briefWait = time.Millisecond
	// heldWait is how long a Put, and a batch of a Replay, tries again while another
	// transaction holds the key. Up to heldSpread is added at random: senders that
	// are refused in one instant come back in one batch. The pause between two tries
	// is the longest of three: heldPause, the time waited so far divided by heldPart,
	// and heldShare for each that waits in this process, so that together they try
	// once in each heldShare.
	heldWait   = 2 * time.Second
	heldSpread = heldWait / 4
	heldPause  = 2 * time.Millisecond
	heldPart   = 16
	heldShare  = time.Millisecond
	// heldBytes is the size from which a delivery that was held is not sent along
	// before its key is free.
	heldBytes = 64 << 10
)

// errHeld: another transaction holds the key, the dedup key or the row. Nothing
// was changed; it is to be tried again after a pause.
var errHeld = errors.New("sqlinbox: another transaction holds the key")

// putHeld tries again and again to put what j puts, which was held because of
// err, and returns the last try. Each is a job of its own: the writer may still
// look at the one before.
func (in *Inbox) putHeld(ctx context.Context, j *job, err error) (*job, error) {
	w, end := in.wait(ctx)
	defer end()
	for errors.Is(err, errHeld) {
		if ended := w.pause(); ended != nil {
			return j, heldError(ctx, ended, err)
		}
		j = &job{put: j.put, alone: j.alone || j.put.size() >= heldBytes}
		err = in.submit(ctx, j)
	}
	return j, err
}

// inVain reports whether j, which is large and was held before, still is: this is
// asked without its body.
func (in *Inbox) inVain(ctx context.Context, j *job) bool {
	if !j.alone || j.put.size() < heldBytes || j.put.delivery.OrderingKey == "" {
		return false
	}
	_, err := in.lockKey(ctx, in.db, j.put.keyed(), grip{})
	j.held = errors.Is(err, errHeld)
	return j.held
}

// A wait is somebody's for what another transaction holds.
type wait struct {
	in    *Inbox
	ctx   context.Context // ends with the patience
	since time.Time
}

// wait begins one; end is to be called at its end.
func (in *Inbox) wait(ctx context.Context) (w *wait, end func()) {
	ctx, cancel := context.WithTimeout(ctx, heldWait+rand.N(heldSpread))
	in.waits.Add(1)
	return &wait{in, ctx, time.Now()}, func() {
		in.waits.Add(-1)
		cancel()
	}
}

// pause is what is between two tries. Its error is that of the context, or that
// the inbox is closed.
func (w *wait) pause() error {
	d := max(heldPause, time.Since(w.since)/heldPart, time.Duration(w.in.waits.Load())*heldShare)
	timer := time.NewTimer(d/2 + rand.N(d))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-w.in.queue.over:
		return ErrClosed
	case <-w.ctx.Done():
		return w.ctx.Err()
	}
}

// heldError tells why a wait for what is held ended: the end of ctx, which is the
// caller's, ErrClosed, or the end of patience.
func heldError(ctx context.Context, err, held error) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, ErrClosed):
		return err
	}
	return fmt.Errorf("%w: waited for it for more than %v", held, heldWait)
}

// lockTimeout is a duration as PostgreSQL reads it.
func lockTimeout(d time.Duration) string { return fmt.Sprintf("%dms", d.Milliseconds()) }
