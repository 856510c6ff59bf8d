package sqlinbox

import (
	"context"
	"errors"
	"time"
)

// errInsideTx ends a write that waits for a transaction of the program, which may be
// the one that it is called from.
var errInsideTx = errors.New("sqlinbox: database is locked by a transaction of InTx or Write: inside one use PutTx")

// A writeMutex is for those of this process that write, where the database has one
// writer and lets nobody queue. It serves them in the order of arrival. It holds an
// element while it is unlocked.
type writeMutex chan struct{}

func newWriteMutex() writeMutex {
	m := make(writeMutex, 1)
	m <- struct{}{}
	return m
}

// lock waits until ctx ends.
func (m writeMutex) lock(ctx context.Context) error {
	select {
	case <-m:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// lockSoon waits for writerWait.
func (m writeMutex) lockSoon() error {
	select {
	case <-m:
		return nil
	default:
	}
	timer := time.NewTimer(writerWait)
	defer timer.Stop()
	select {
	case <-m:
		return nil
	case <-timer.C:
		return errInsideTx
	}
}

func (m writeMutex) unlock() { m <- struct{}{} }
