package sqlinbox

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestAWriteThatWaitsForInTxSaysToUsePutTx(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		locked := make(writeMutex, 1) // by the InTx inside which a Put waits
		err := locked.lockSoon()
		if err == nil || !strings.HasSuffix(err.Error(), "database is locked by a transaction of InTx or Write: inside one use PutTx") {
			t.Errorf("lockSoon returned %v", err)
		}
		wrapped := fmt.Errorf("put: %w", err)
		if got := new(sqliteEngine).txError("InTx", wrapped); !errors.Is(got, wrapped) || got.Error() != wrapped.Error() {
			t.Errorf("%v: another advice besides", got)
		}
	})
}

func TestAWriteMutexServesInTheOrderOfArrival(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newWriteMutex()
		if err := m.lockSoon(); err != nil {
			t.Fatal(err)
		}
		var order []int
		for n := range 5 {
			go func() {
				lock := m.lockSoon
				if n%2 == 0 {
					lock = func() error { return m.lock(t.Context()) }
				}
				if err := lock(); err != nil {
					t.Error(err)
					return
				}
				order = append(order, n)
				m.unlock()
			}()
			synctest.Wait() // it has arrived
		}
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := m.lock(short); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("at the end of the context lock returned %v", err)
		}
		m.unlock()
		synctest.Wait()
		if want := []int{0, 1, 2, 3, 4}; !slices.Equal(order, want) {
			t.Errorf("served %v, want %v", order, want)
		}
	})
}

func TestRetryBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		busy, other := errors.New("database is locked (5) (SQLITE_BUSY)"), errors.New("disk full")
		for _, tt := range []struct {
			name  string
			fails int // times
			err   error
			tries int
		}{
			{"free", 0, nil, 1}, {"busy for a while", 20, busy, 21}, {"another error", 9, other, 1},
		} {
			tries := 0
			err := retryBusy(t.Context(), writerWait, func() error {
				if tries++; tries <= tt.fails {
					return tt.err
				}
				return nil
			})
			if tries != tt.tries || (err != nil) != (tries <= tt.fails) {
				t.Errorf("%s: %d tries, %v, want %d tries", tt.name, tries, err, tt.tries)
			}
		}
		start := time.Now()
		err := retryBusy(t.Context(), writerWait, func() error { return busy })
		if took := time.Since(start); !errors.Is(err, busy) || took < writerWait || took > writerWait+2*busyPause {
			t.Errorf("a file that is never free: %v after %v", err, took)
		}
	})
}
