package sqlinbox

import (
	"sync"
	"time"
)

// wakePause is the time from one signal of Wake that is passed on to the next.
const wakePause = 10 * time.Millisecond

// A waker passes the signals of a channel on, in a goroutine of its own. The zero waker is
// ready.
type waker struct {
	mu       sync.Mutex
	started  bool
	stopped  bool
	stopping chan struct{} // nil until started
	ended    chan struct{} // closed when the goroutine has ended
}

// start begins to pass on signals, once. A nil channel has none.
func (w *waker) start(signals <-chan struct{}, notify func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if signals == nil || w.started || w.stopped {
		return
	}
	w.started = true
	w.stopping, w.ended = make(chan struct{}), make(chan struct{})
	go func() {
		defer close(w.ended)
		passOn(signals, w.stopping, notify)
	}()
}

// stop ends the goroutine and returns when it has ended. Later calls of start do nothing.
func (w *waker) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.started && !w.stopped {
		close(w.stopping)
		<-w.ended
	}
	w.stopped = true
}

// passOn calls notify at a signal, and then at most once in each wakePause, until signals is
// closed or stopping is. Meanwhile it goes on to receive, so that no sender waits for long.
func passOn(signals, stopping <-chan struct{}, notify func()) {
	var pause <-chan time.Time // nil if notify may be called
	for missed := false; ; {
		select {
		case _, ok := <-signals:
			if !ok {
				if missed {
					notify()
				}
				return
			}
			missed = true
		case <-pause:
			pause = nil
		case <-stopping:
			return
		}
		if missed && pause == nil {
			notify()
			missed, pause = false, time.After(wakePause)
		}
	}
}
