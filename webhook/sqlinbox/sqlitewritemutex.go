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

// errTxOpen is the error of a write that has waited for writerWait for a transaction of
// the program, or is called with the context of one. The caller may be inside that
// transaction, or another goroutine may be.
var errTxOpen = errors.New("sqlinbox: database is locked by a transaction of InTx or Write that has not ended: inside it use PutTx")

// A writeMutex lets one at a time of this process write to SQLite: a batch, of which
// there is one at a time, or a transaction of the program. Those transactions are served
// in the order of arrival. A batch that waits is served between two of them: however
// many wait, it waits for only one.
type writeMutex struct {
	turn chan struct{} // has an element while nobody writes
	line chan struct{} // has an element while no transaction of the program writes or waits for turn
}

func newWriteMutex() writeMutex {
	m := writeMutex{turn: make(chan struct{}, 1), line: make(chan struct{}, 1)}
	m.turn <- struct{}{}
	m.line <- struct{}{}
	return m
}

// lock waits, until ctx ends, for a transaction of the program to be the one that
// writes.
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

// lockBatch waits, for up to writerWait, for a batch to be the one that writes.
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
		return errTxOpen
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
