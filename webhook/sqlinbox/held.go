package sqlinbox

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

const (
	// batchWait is how long a batch waits for a Key that another transaction
	// holds: those of other Keys wait too.
	batchWait = 100 * time.Millisecond
	// heldWait is how long a Put waits for it by itself: it tries again and again,
	// for heldTry at a time with heldPause between.
	heldWait  = 2 * time.Second
	heldTry   = 50 * time.Millisecond
	heldPause = 25 * time.Millisecond
	// heldConns is how many connections such Puts take at most.
	heldConns = 4
)

// heldKeys are the Keys that another transaction holds, as far as Puts know: one
// of those under a Key tries to get it, and the others wait for that one. No
// batch takes them in.
type heldKeys struct {
	conns chan struct{} // an element for each connection in use

	mu    sync.Mutex
	waits map[keyed]*heldKey
}

// A heldKey is one Put's wait for the Key.
type heldKey struct {
	over  chan struct{} // closed at its end
	freed bool          // it got the Key; set before over is closed
}

func newHeldKeys() *heldKeys {
	return &heldKeys{conns: make(chan struct{}, heldConns), waits: make(map[keyed]*heldKey)}
}

// has reports whether somebody waits for k.
func (h *heldKeys) has(k keyed) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.waits[k] != nil
}

// join returns the wait for k, and whether it is the caller's to do.
func (h *heldKeys) join(k keyed) (wait *heldKey, mine bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if wait = h.waits[k]; wait != nil {
		return wait, false
	}
	wait = &heldKey{over: make(chan struct{})}
	h.waits[k] = wait
	return wait, true
}

func (h *heldKeys) end(k keyed, freed bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.waits[k].freed = freed
	close(h.waits[k].over)
	delete(h.waits, k)
}

// stop waits for the transactions under way and lets no other begin.
func (h *heldKeys) stop() {
	for range heldConns {
		h.conns <- struct{}{}
	}
}

// putHeld puts what no batch could because another transaction holds its Key.
// Once one got it, the others that waited are a batch again.
func (in *Inbox) putHeld(ctx context.Context, j *job) error {
	k := j.put.keyed()
	if k.key == "" {
		k.key = "\x00" + j.put.delivery.UID // it is a mark that is held: nobody else waits
	}
	patience, cancel := context.WithTimeout(ctx, heldWait)
	defer cancel()
	for {
		wait, mine := in.held.join(k)
		if mine {
			err := in.putPatiently(ctx, patience, j)
			in.held.end(k, err == nil || errors.Is(err, webhook.ErrDuplicate))
			return err
		}
		select {
		case <-wait.over:
		case <-patience.Done():
			return heldError(ctx, patience.Err())
		}
		if wait.freed {
			if err := in.submit(ctx, j); !isLockTimeout(err) {
				return err
			}
		}
	}
}

// putPatiently tries until the end of patience.
func (in *Inbox) putPatiently(ctx, patience context.Context, j *job) error {
	for {
		select {
		case in.held.conns <- struct{}{}:
		case <-patience.Done():
			return heldError(ctx, patience.Err())
		}
		err := in.putAlone(ctx, j)
		<-in.held.conns
		switch {
		case err == nil:
			in.notify()
			return j.result
		case !isLockTimeout(err), !pause(patience, heldPause):
			j.ended = nil
			return heldError(ctx, err)
		}
	}
}

// putAlone puts j in a transaction of its own.
func (in *Inbox) putAlone(ctx context.Context, j *job) error {
	if err := in.writes(ctx); err != nil {
		return err
	}
	return again(ctx, func() error {
		return in.pooled(ctx, func(ctx context.Context, s session) error {
			return in.putCarefully(ctx, s, []*job{j}, lockTimeout(heldTry))
		})
	})
}

// heldError prefers the end of ctx, which is the caller's, to what came of it.
func heldError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fmt.Errorf("sqlinbox: waiting for a key that another transaction holds: %w", err)
}

// lockTimeout is a duration as PostgreSQL reads it.
func lockTimeout(d time.Duration) string { return fmt.Sprintf("%dms", d.Milliseconds()) }
