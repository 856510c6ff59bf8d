package inspect

import (
	"sync"
	"sync/atomic"
)

const (
	// defaultCalls is how many calls of each kind are kept, and defaultCallBytes about how
	// much memory they have.
	defaultCalls     = 200
	defaultCallBytes = 8 << 20
)

// A callRing has the last calls, those that were refused apart from the others, so that
// neither pushes out the other. Its mutex is held for as long as a list is copied.
type callRing struct {
	mu       sync.Mutex
	last     int64       // the number of the newest call
	refused  []*keptCall // oldest first
	accepted []*keptCall
	bytes    int64
	lost     int64 // refused calls that are no longer kept

	reading atomic.Int64 // bytes of bodies of calls in progress
}

// limits returns how many calls of each kind are kept, and how many bytes of all.
func (in *Inspector) limits() (calls int, bytes int64) {
	calls, bytes = in.Calls, in.CallBytes
	if calls == 0 {
		calls = defaultCalls
	}
	if bytes == 0 {
		bytes = defaultCallBytes
	}
	return max(calls, 0), max(bytes, 0)
}

// bodyLimit returns how much of the body of a call is kept.
func (in *Inspector) bodyLimit() int { return in.part(maxCallBody) }

// part returns a size, or a quarter of the memory for calls if that is less.
func (in *Inspector) part(size int) int {
	_, bytes := in.limits()
	return int(min(int64(size), bytes/4))
}

// add keeps a call. The oldest ones make room, first those that were refused: a stranger can
// cause any number of them.
func (ring *callRing) add(k *keptCall, calls int, bytes int64) {
	ring.mu.Lock()
	defer ring.mu.Unlock()
	ring.last++
	k.n = ring.last
	if k.refused() {
		ring.refused = append(ring.refused, k)
	} else {
		ring.accepted = append(ring.accepted, k)
	}
	ring.bytes += k.bytes
	for len(ring.refused) > calls || len(ring.refused) > 0 && ring.bytes > bytes {
		ring.refused = ring.drop(ring.refused)
		ring.lost++
	}
	for len(ring.accepted) > calls || len(ring.accepted) > 0 && ring.bytes > bytes {
		ring.accepted = ring.drop(ring.accepted)
	}
}

// drop removes the oldest call of a list.
func (ring *callRing) drop(list []*keptCall) []*keptCall {
	ring.bytes -= list[0].bytes
	list[0] = nil // the array keeps it otherwise
	return list[1:]
}

// before returns the calls with a lower number, newest first, and how many refused calls are
// no longer kept. Zero means all.
func (ring *callRing) before(n int64, refusedOnly bool) (found []*keptCall, lost int64) {
	ring.mu.Lock()
	defer ring.mu.Unlock()
	a, b := ring.refused, ring.accepted
	if refusedOnly {
		b = nil
	}
	for len(a)+len(b) > 0 {
		var k *keptCall
		if len(b) == 0 || len(a) > 0 && a[len(a)-1].n > b[len(b)-1].n {
			k, a = a[len(a)-1], a[:len(a)-1]
		} else {
			k, b = b[len(b)-1], b[:len(b)-1]
		}
		if n == 0 || k.n < n {
			found = append(found, k)
		}
	}
	return found, ring.lost
}

// get returns a call by its number, or nil.
func (ring *callRing) get(n int64) *keptCall {
	found, _ := ring.before(n+1, false)
	if len(found) == 0 || found[0].n != n {
		return nil
	}
	return found[0]
}

// of returns the accepted calls of a delivery, oldest first.
func (ring *callRing) of(uid string) (found []*keptCall) {
	ring.mu.Lock()
	defer ring.mu.Unlock()
	for _, k := range ring.accepted {
		if k.uid == uid {
			found = append(found, k)
		}
	}
	return found
}

// counts returns how many calls are kept.
func (ring *callRing) counts() (refused, accepted int) {
	ring.mu.Lock()
	defer ring.mu.Unlock()
	return len(ring.refused), len(ring.accepted)
}

// reserve reserves memory for the body of a call in progress, and reports whether there is
// some. The caller gives it back with a negative n.
func (ring *callRing) reserve(n, limit int64) bool {
	if ring.reading.Add(n) > limit && n > 0 {
		ring.reading.Add(-n)
		return false
	}
	return true
}
