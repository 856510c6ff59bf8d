package sqlinbox

import (
	"context"
	"errors"
	"time"
)

var errTurn = errors.New("sqlinbox: database is locked by a transaction of InTx: inside one use PutTx")

// A turn is for those of this process that write, where the database has one
// writer and lets nobody queue: it holds an element while nobody does.
type turn chan struct{}

func newTurn() turn {
	t := make(turn, 1)
	t <- struct{}{}
	return t
}

// take waits in the order of arrival.
func (t turn) take(ctx context.Context) error {
	select {
	case <-t:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// takeSoon waits for writerWait.
func (t turn) takeSoon() error {
	select {
	case <-t:
		return nil
	default:
	}
	patience := time.NewTimer(writerWait)
	defer patience.Stop()
	select {
	case <-t:
		return nil
	case <-patience.C:
		return errTurn
	}
}

func (t turn) give() { t <- struct{}{} }
