package catchuptest

import (
	"context"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// Advance lets fake time pass, and what is due then happen.
func Advance(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// Start runs a catch-up and a Worker that calls the callback, until stop is called. An attempt
// that fails is repeated after a second.
func Start(t *testing.T, c webhook.Runner, in webhook.Inbox, callback webhook.HandlerFunc) (stop func()) {
	worker := webhook.NewWorker(in, callback)
	worker.Logger = Quiet()
	worker.Retry = webhook.Backoff{First: time.Second, Max: time.Second}
	return Run(t, c, worker)
}

// Run runs runners until stop is called.
func Run(t *testing.T, runners ...webhook.Runner) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	for _, r := range runners {
		wg.Go(func() {
			if err := r.Run(ctx); err != nil {
				t.Errorf("%T: %v", r, err)
			}
		})
	}
	return func() {
		cancel()
		wg.Wait()
	}
}

// A Random makes the choices of a random schedule. It is safe for concurrent use.
type Random struct {
	mu   sync.Mutex
	rand *rand.Rand
}

// NewRandom returns a Random that makes the same choices for the same seed.
func NewRandom(seed uint64) *Random { return &Random{rand: rand.New(rand.NewPCG(seed, 15))} }

// IntN returns a number from 0 to n-1.
func (r *Random) IntN(n int) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.rand.IntN(n)
}

// Sleep waits for up to d.
func (r *Random) Sleep(d time.Duration) { <-time.After(time.Duration(r.IntN(int(d)))) }

// Heap returns the bytes that the process has in use.
func Heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
