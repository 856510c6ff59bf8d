package sqlinbox

import (
	"database/sql"
	"testing"
	"testing/synctest"
	"time"
)

// woken starts a waker on the channel and returns how often it has passed a signal on.
func woken(t *testing.T, signals <-chan struct{}) (passed func() int) {
	t.Helper()
	var w waker
	n := 0
	w.start(signals, func() { n++ })
	t.Cleanup(w.stop)
	return func() int {
		synctest.Wait()
		return n
	}
}

func TestASignalIsPassedOnAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		signals := make(chan struct{}, 1)
		passed := woken(t, signals)
		for want := 1; want <= 3; want++ {
			signals <- struct{}{}
			if n := passed(); n != want {
				t.Fatalf("%d signals were passed on, want %d", n, want)
			}
			time.Sleep(wakePause)
		}
	})
}

func TestAFloodOfSignalsIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		signals := make(chan struct{}) // a sender waits until the signal is received
		passed := woken(t, signals)
		for range 50 {
			for range 1000 {
				signals <- struct{}{}
			}
			time.Sleep(wakePause / 5)
		}
		time.Sleep(wakePause) // the last one is not lost
		if n := passed(); n != 11 {
			t.Errorf("%d signals were passed on in ten pauses, want 11", n)
		}
		time.Sleep(time.Hour)
		if n := passed(); n != 11 {
			t.Errorf("%d signals were passed on after the flood, want none", n-11)
		}
	})
}

func TestAClosedChannelIsTheLastSignal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		signals := make(chan struct{}, 2)
		signals <- struct{}{}
		signals <- struct{}{}
		close(signals)
		passed := woken(t, signals)
		if n := passed(); n != 2 {
			t.Errorf("%d signals were passed on, want the first at once and the second at the end", n)
		}
		time.Sleep(time.Hour)
		if n := passed(); n != 2 {
			t.Errorf("a closed channel has signalled %d times more", n-2)
		}
	})
}

func TestANilChannelStartsNothing(t *testing.T) {
	var w waker
	w.start(nil, func() { t.Error("nobody has signalled") })
	if w.started {
		t.Error("a goroutine waits for nothing")
	}
	w.stop()
	w.stop()
}

func TestWakeClosesTheChannelOfChangedUntilClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wake := make(chan struct{}, 1)
		in := New(new(sql.DB), PostgreSQL)
		in.Wake = wake
		for range 3 { // one goroutine, however often Changed is called
			changed := in.Changed()
			wake <- struct{}{}
			<-changed
			time.Sleep(wakePause)
		}
		if err := in.Close(); err != nil {
			t.Fatal(err)
		}
		changed := in.Changed()
		wake <- struct{}{}
		synctest.Wait()
		select {
		case <-changed:
			t.Error("a closed inbox passes a signal on")
		default:
		}
		if err := in.Close(); err != nil {
			t.Fatal(err)
		}
	})
}
