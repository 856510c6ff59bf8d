package sqlinbox

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"
)

const (
	// keyWait is how long a Put, and a batch of a Replay, tries again while another
	// transaction holds the key. Up to keyWaitSpread is added at random: senders that
	// are refused in one instant come back in one batch. The pause between two tries
	// is the longest of three: keyPause, the time waited so far divided by
	// keyPausePart, and keyPauseShare for each that waits in this process, so that
	// together they try once in each keyPauseShare.
	keyWait       = 2 * time.Second
	keyWaitSpread = keyWait / 4
	keyPause      = 2 * time.Millisecond
	keyPausePart  = 16
	keyPauseShare = time.Millisecond
)

// errLeftOut: another transaction has locked the ordering key, the dedup key or the row,
// or came in between (errConflict). Nothing was changed; it is to be tried again after
// a pause.
var errLeftOut = errors.New("sqlinbox: another transaction holds the key or came in between")

// lockedKeys spreads in time the tries of all in this process that wait for keys
// which other transactions hold. The database wakes nobody when such a transaction
// ends.
type lockedKeys struct {
	closed  <-chan struct{} // ends every wait
	waiting atomic.Int64
}

// A keyWaiter waits for what another transaction holds.
type keyWaiter struct {
	keys  *lockedKeys
	ctx   context.Context // ends with the wait
	since time.Time
}

// wait begins a wait, which lasts for keyWait and its spread. The caller must call
// end.
func (k *lockedKeys) wait(ctx context.Context) (w *keyWaiter, end func()) {
	ctx, cancel := context.WithTimeout(ctx, keyWait+rand.N(keyWaitSpread))
	k.waiting.Add(1)
	return &keyWaiter{k, ctx, time.Now()}, func() {
		k.waiting.Add(-1)
		cancel()
	}
}

// pause is what is between two tries. Its error is that of the context, or
// ErrClosed.
func (w *keyWaiter) pause() error {
	d := max(keyPause, time.Since(w.since)/keyPausePart, time.Duration(w.keys.waiting.Load())*keyPauseShare)
	timer := time.NewTimer(d/2 + rand.N(d))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-w.keys.closed:
		return ErrClosed
	case <-w.ctx.Done():
		return w.ctx.Err()
	}
}

// keyWaitError says why a wait ended: the end of ctx, which is the caller's,
// ErrClosed, or that it took too long.
func keyWaitError(ctx context.Context, ended, locked error) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(ended, ErrClosed):
		return ended
	}
	return fmt.Errorf("%w: waited for it for more than %v", locked, keyWait)
}
