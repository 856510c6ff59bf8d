package sqlinbox

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/hookhouse/hookhouse/internal/statement"
)

const (
	// writerWait is how long a transaction waits for another writer.
	writerWait = 5 * time.Second
	// A transaction that waits for another process tries again after half of
	// busyPause to one and a half of it.
	busyPause = time.Millisecond
)

// errInsideTx ends a write that waits for a transaction of the program, which may be
// the one that it is called from.
var errInsideTx = errors.New("sqlinbox: database is locked by a transaction of InTx or Write: inside one use PutTx")

// A writeMutex is for those of this process that write, where the database has one
// writer and lets nobody queue: batches, of which there is one at a time, and
// transactions of the program. The latter are served in the order of arrival, and a
// batch comes between two of them: however many wait, it waits for only one.
type writeMutex struct {
	turn chan struct{} // to write; holds an element while it is free
	line chan struct{} // to wait for turn as a transaction; the same
}

func newWriteMutex() writeMutex {
	m := writeMutex{turn: make(chan struct{}, 1), line: make(chan struct{}, 1)}
	m.turn <- struct{}{}
	m.line <- struct{}{}
	return m
}

// lock waits until ctx ends, for a transaction of the program.
func (m writeMutex) lock(ctx context.Context) error {
	for _, free := range []chan struct{}{m.line, m.turn} {
		select {
		case <-free:
		case <-ctx.Done():
			if free == m.turn {
				m.line <- struct{}{}
			}
			return ctx.Err()
		}
	}
	return nil
}

// unlock ends what lock began. A batch that waits is next.
func (m writeMutex) unlock() {
	m.turn <- struct{}{}
	m.line <- struct{}{}
}

// lockBatch waits for writerWait.
func (m writeMutex) lockBatch() error {
	select {
	case <-m.turn:
		return nil
	default:
	}
	timer := time.NewTimer(writerWait)
	defer timer.Stop()
	select {
	case <-m.turn:
		return nil
	case <-timer.C:
		return errInsideTx
	}
}

func (m writeMutex) unlockBatch() { m.turn <- struct{}{} }

// retryBusy repeats try while another process has SQLite's file. It tries often: a
// process that writes without a pause leaves the file free for microseconds at a
// time, and SQLite's own way of waiting, which ends up trying ten times a second,
// can miss them all.
func retryBusy(ctx context.Context, wait time.Duration, try func() error) error {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	for {
		err := try()
		if !statement.IsBusy(err) || !sleep(ctx, busyPause/2+rand.N(busyPause)) {
			return err
		}
	}
}

// sleep reports whether ctx outlived d.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
