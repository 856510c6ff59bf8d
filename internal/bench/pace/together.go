package pace

import (
	"sync"
	"sync/atomic"
)

// Together calls f with 0 to n-1 in that number of goroutines and returns the
// first error.
func Together(goroutines, n int, f func(i int) error) error {
	var next atomic.Int64
	var failed error
	var once sync.Once
	var all sync.WaitGroup
	for range goroutines {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				if err := f(i); err != nil {
					once.Do(func() { failed = err })
					return
				}
			}
		})
	}
	all.Wait()
	return failed
}
