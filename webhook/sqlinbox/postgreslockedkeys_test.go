package sqlinbox

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

func TestAKeyWaiterTriesForTwoSecondsAndItsSpread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var keys lockedKeys
		start := time.Now()
		w, end := keys.wait(t.Context())
		defer end()
		tries := 0
		var err error
		for err = w.pause(); err == nil; err = w.pause() {
			tries++
		}
		took := time.Since(start)
		if !errors.Is(err, context.DeadlineExceeded) || took < keyWait || took > keyWait+keyWaitSpread {
			t.Errorf("it ended after %v with %v", took, err)
		}
		if tries < 40 || tries > 300 {
			t.Errorf("%d tries in %v", tries, took)
		}
		locked := fmt.Errorf("put: %w", errLeftOut)
		if err := keyWaitError(t.Context(), err, locked); !errors.Is(err, errLeftOut) || errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the caller's context has not ended, and the error is %v", err)
		}
	})
}

func TestManyKeyWaitersShareTheTries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var keys lockedKeys
		var first *keyWaiter
		for range 100 {
			w, end := keys.wait(t.Context())
			defer end()
			first = w
		}
		start := time.Now()
		if err := first.pause(); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took < 100*keyPauseShare/2 || took > 100*keyPauseShare*3/2 {
			t.Errorf("one of a hundred pauses for %v", took)
		}
	})
}

func TestAKeyWaiterEndsWithItsContextAndTheInbox(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		closed := make(chan struct{})
		keys := lockedKeys{closed: closed}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		w, end := keys.wait(ended)
		err := w.pause()
		if err := keyWaitError(ended, err, errLeftOut); !errors.Is(err, context.Canceled) {
			t.Errorf("at the end of the context the error is %v", err)
		}
		end()
		close(closed)
		w, end = keys.wait(t.Context())
		err = w.pause()
		if err := keyWaitError(t.Context(), err, errLeftOut); !errors.Is(err, ErrClosed) {
			t.Errorf("after Close the error is %v", err)
		}
		end()
		if n := keys.waiting.Load(); n != 0 {
			t.Errorf("%d still wait", n)
		}
	})
}
