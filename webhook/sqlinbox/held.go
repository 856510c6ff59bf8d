package sqlinbox

import (
	"context"
	"fmt"
	"sync"
	"time"
)

const (
	// batchWait is how long a batch waits for a Key that another transaction
	// holds: those of other Keys wait too.
	batchWait = 100 * time.Millisecond
	// heldWait is how long a Put waits for it by itself.
	heldWait = 2 * time.Second
	// heldConns is how many connections such Puts take at most.
	heldConns = 4
)

// heldKeys are the Keys that another transaction holds, as long as a Put waits
// for one: others under it wait in line, and no batch takes them in.
type heldKeys struct {
	conns chan struct{} // an element for each connection in use

	mu    sync.Mutex
	lines map[keyed]*line
}

// A line is of Puts under one Key, of which the first asks the database.
type line struct {
	turn
	length int
}

func newHeldKeys() *heldKeys {
	return &heldKeys{conns: make(chan struct{}, heldConns), lines: make(map[keyed]*line)}
}

// has reports whether somebody waits for k.
func (h *heldKeys) has(k keyed) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.lines[k] != nil
}

func (h *heldKeys) join(k keyed) *line {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.lines[k] == nil {
		h.lines[k] = &line{turn: newTurn()}
	}
	h.lines[k].length++
	return h.lines[k]
}

func (h *heldKeys) leave(k keyed) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.lines[k].length--; h.lines[k].length == 0 {
		delete(h.lines, k)
	}
}

// putHeld puts what no batch could, in a transaction of its own.
func (in *Inbox) putHeld(ctx context.Context, j *job) error {
	if err := in.writes(ctx); err != nil {
		return err
	}
	k := j.put.keyed()
	if k.key == "" {
		k.key = "\x00" + j.put.delivery.UID // it is a mark that is held: a line of its own
	}
	line := in.held.join(k)
	defer in.held.leave(k)
	until := time.Now().Add(heldWait)
	waiting, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	if err := line.take(waiting); err != nil {
		return heldError(ctx, err)
	}
	defer line.give()
	select {
	case in.held.conns <- struct{}{}:
		defer func() { <-in.held.conns }()
	case <-waiting.Done():
		return heldError(ctx, waiting.Err())
	}
	wait := lockTimeout(max(time.Until(until), batchWait))
	err := again(ctx, func() error {
		return in.pooled(ctx, func(ctx context.Context, s session) error {
			return in.putCarefully(ctx, s, []*job{j}, wait)
		})
	})
	switch {
	case err == nil:
		return j.result
	case isLockTimeout(err):
		return heldError(ctx, err)
	default:
		return err
	}
}

func heldError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fmt.Errorf("sqlinbox: another transaction holds the key: %w", err)
}

// lockTimeout is a duration as PostgreSQL reads it.
func lockTimeout(d time.Duration) string { return fmt.Sprintf("%dms", d.Milliseconds()) }
