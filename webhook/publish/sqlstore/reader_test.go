package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A table is what a reader reads. A read takes half of readPatience, and the value of a key is
// the number of the read. There is no key "none".
type table struct {
	mu    sync.Mutex
	sizes []int // of the batches
	reads int
	fails func(ctx context.Context, keys []string) error
}

func (s *table) read(ctx context.Context, keys []string) (map[string]int, error) {
	s.mu.Lock()
	s.reads++
	began := s.reads
	s.sizes = append(s.sizes, len(keys))
	s.mu.Unlock()
	if s.fails != nil {
		if err := s.fails(ctx, keys); err != nil {
			return nil, err
		}
	}
	select {
	case <-time.After(readPatience / 2):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	values := make(map[string]int)
	for _, k := range keys {
		if k != "none" {
			values[k] = began
		}
	}
	return values, nil
}

func (s *table) reader() *reader[string, int] {
	return &reader[string, int]{what: "test", read: s.read, refuses: func(err error) bool { return errors.Is(err, errRefused) }}
}

// getAll gets the keys in this order, and waits for all of them.
func getAll(t *testing.T, r *reader[string, int], keys []string, after func(key string, value int, err error)) {
	t.Helper()
	var all sync.WaitGroup
	for _, k := range keys {
		all.Go(func() {
			value, err := r.get(t.Context(), k)
			after(k, value, err)
		})
		synctest.Wait()
	}
	all.Wait()
}

// keys returns n keys from a first number on.
func keys(first, n int) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprint(first+i))
	}
	return all
}

func TestCallsThatArriveWhileOneReadsShareTheNextReadWithoutADelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := new(table)
		start := time.Now()
		asked := slices.Concat([]string{"first", "none"}, keys(0, 30), keys(0, 30))
		getAll(t, s.reader(), asked, func(key string, value int, err error) {
			want := 2 // the second read
			switch key {
			case "first":
				want = 1
			case "none":
				want = 0
			}
			if err != nil || value != want {
				t.Errorf("%s is %d, %v, want %d", key, value, err, want)
			}
		})
		if took := time.Since(start); took != readPatience {
			t.Errorf("it took %v, want two reads", took)
		}
		if !slices.Equal(s.sizes, []int{1, 31}) {
			t.Errorf("batches of %v, want 1 and then all others, each once", s.sizes)
		}
	})
}

// The endpoint may have changed after the read under way began.
func TestACallNeverGetsWhatWasReadBeforeIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := new(table).reader()
		values := make(chan int, 2)
		for i := range 2 {
			go func() {
				value, err := r.get(t.Context(), "same")
				if err != nil || value != i+1 {
					t.Errorf("call %d got the value of read %d, %v", i+1, value, err)
				}
				values <- value
			}()
			synctest.Wait()
		}
		<-values
		<-values
	})
}

func TestABatchOfReadsIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := new(table)
		getAll(t, s.reader(), keys(0, 1+2*readLimit+1), func(key string, _ int, err error) {
			if err != nil {
				t.Errorf("%s: %v", key, err)
			}
		})
		if !slices.Equal(s.sizes, []int{1, readLimit, readLimit, 1}) {
			t.Errorf("batches of %v", s.sizes)
		}
	})
}

func TestAKeyThatIsRefusedFailsNoOtherCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &table{fails: func(_ context.Context, keys []string) error {
			if slices.Contains(keys, "7") {
				return errRefused
			}
			return nil
		}}
		getAll(t, s.reader(), keys(0, 30), func(key string, value int, err error) {
			if refused := key == "7"; errors.Is(err, errRefused) != refused || (value == 0) != refused {
				t.Errorf("%s is %d, %v", key, value, err)
			}
		})
	})
}

func TestAReadThatFailsPanicsOrEndsItsGoroutineFailsItsBatchAlone(t *testing.T) {
	for name, end := range map[string]func() error{
		"error": func() error { return errors.New("on purpose") },
		"panic": func() error { panic("on purpose") },
		"Goexit": func() error {
			runtime.Goexit()
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &table{fails: func(_ context.Context, keys []string) error {
					if keys[0] == "1" {
						return end()
					}
					return nil
				}}
				r := s.reader()
				getAll(t, r, keys(0, 3), func(key string, _ int, err error) {
					if failed := key != "0"; (err != nil) != failed {
						t.Errorf("%s: %v", key, err)
					}
				})
				getAll(t, r, keys(5, 1), func(_ string, _ int, err error) {
					if err != nil {
						t.Errorf("the next call: %v", err)
					}
				})
				synctest.Wait()
				if r.running != 0 || len(r.waiting) != 0 {
					t.Errorf("%d run and %d wait", r.running, len(r.waiting))
				}
			})
		})
	}
}

// One connection that hangs holds up neither the calls after it nor those that end.
func TestAReadThatHangsHoldsUpNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := 0
		s := &table{fails: func(ctx context.Context, keys []string) error {
			if keys[0] == "hangs" {
				<-ctx.Done()
				ended++
				return ctx.Err()
			}
			return nil
		}}
		r := s.reader()
		short, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		var hanging sync.WaitGroup
		hanging.Go(func() {
			if _, err := r.get(short, "hangs"); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("get returned %v, want the end of its context", err)
			}
		})
		synctest.Wait()
		start := time.Now()
		getAll(t, r, keys(0, 5), func(key string, _ int, err error) {
			if took := time.Since(start); err != nil || took > 2*readPatience {
				t.Errorf("%s: %v after %v", key, err, took)
			}
		})
		withdrawn, stop := context.WithCancel(t.Context())
		stop()
		if _, err := r.get(withdrawn, "withdrawn"); !errors.Is(err, context.Canceled) {
			t.Errorf("get returned %v, want the end of its context", err)
		}
		hanging.Wait()
		synctest.Wait()
		if ended != 1 || r.running != 0 || len(r.waiting) != 0 {
			t.Errorf("%d reads have ended, %d run and %d wait", ended, r.running, len(r.waiting))
		}
	})
}
