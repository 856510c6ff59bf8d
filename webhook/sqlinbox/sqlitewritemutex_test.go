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
		m := newWriteMutex()
		if err := m.lock(t.Context()); err != nil { // by the InTx inside which a Put waits
			t.Fatal(err)
		}
		err := m.lockBatch()
		if err == nil || !strings.HasSuffix(err.Error(), "database is locked by a transaction of InTx or Write that has not ended: inside it use PutTx") {
			t.Errorf("lockBatch returned %v", err)
		}
		wrapped := fmt.Errorf("put: %w", err)
		if got := new(sqliteEngine).txError("InTx", wrapped); !errors.Is(got, wrapped) || got.Error() != wrapped.Error() {
			t.Errorf("%v: another advice besides", got)
		}
	})
}

func TestAWriteMutexServesInTheOrderOfArrivalAndBatchesBetweenTwo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newWriteMutex()
		if err := m.lock(t.Context()); err != nil {
			t.Fatal(err)
		}
		var order []string
		begin := func(name string, lock func() error, unlock func()) {
			go func() {
				if err := lock(); err != nil {
					t.Error(err)
					return
				}
				order = append(order, name)
				time.Sleep(time.Millisecond)
				unlock()
			}()
			synctest.Wait() // it has arrived
		}
		lock := func() error { return m.lock(t.Context()) }
		for _, name := range []string{"first", "second", "third"} {
			begin(name, lock, m.unlock)
		}
		begin("batch", m.lockBatch, m.unlockBatch)
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := m.lock(short); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("at the end of the context lock returned %v", err)
		}
		m.unlock()
		time.Sleep(1500 * time.Microsecond) // the first writes
		begin("next batch", m.lockBatch, m.unlockBatch)
		time.Sleep(time.Second)
		synctest.Wait() // the goroutines have ended, for the race detector too
		if want := []string{"batch", "first", "next batch", "second", "third"}; !slices.Equal(order, want) {
			t.Errorf("served %v, want %v", order, want)
		}
	})
}

// Whoever is at the head of the line leaves it to the next.
func TestAWriteMutexIsFreeAfterAWaitThatEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newWriteMutex()
		if err := m.lockBatch(); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			short, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if err := m.lock(short); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("at the end of the context lock returned %v", err)
			}
		}
		m.unlockBatch()
		for range 3 {
			if err := m.lock(t.Context()); err != nil {
				t.Fatal(err)
			}
			m.unlock()
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
