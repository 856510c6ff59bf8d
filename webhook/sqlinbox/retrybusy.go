package sqlinbox

import (
	"context"
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
