package sqlstore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookhouse/hookhouse/webhook/publish"
)

// A committer is a commit of a recorder that takes a second, unless it has another time.
type committer struct {
	takes   time.Duration
	mu      sync.Mutex
	batches [][]string // UIDs
	fails   func(batch []*record) error
}

func (c *committer) commit(ctx context.Context, batch []*record) error {
	<-time.After(cmp.Or(c.takes, time.Second))
	var uids []string
	for _, one := range batch {
		uids = append(uids, one.attempt.UID)
		one.began = true
	}
	c.mu.Lock()
	c.batches = append(c.batches, uids)
	c.mu.Unlock()
	if c.fails != nil {
		return c.fails(batch)
	}
	return ctx.Err()
}

// errRefused is what a committer returns for bad attempts.
var errRefused = errors.New("refused on purpose")

// newRecorder returns a recorder that stores nothing that is refused.
func newRecorder(commit func(ctx context.Context, batch []*record) error) *recorder {
	return &recorder{
		commit:      commit,
		refuses:     func(err error) bool { return errors.Is(err, errRefused) },
		commitAlone: func(_ context.Context, _ *record, refusal error) error { return refusal },
	}
}

// submitAll submits n attempts, in the order of their UIDs, and waits for all of them.
func submitAll(t *testing.T, r *recorder, n int, after func(i int, began bool, err error)) {
	t.Helper()
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			began, err := r.submit(t.Context(), publish.Attempt{UID: fmt.Sprint(i)})
			after(i, began, err)
		})
		synctest.Wait()
	}
	all.Wait()
}

func TestAttemptsAreCommittedTogetherInTheOrderOfArrivalWithoutADelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := new(committer)
		r := newRecorder(c.commit)
		start := time.Now()
		submitAll(t, r, 600, func(i int, began bool, err error) {
			if err != nil || !began {
				t.Errorf("attempt %d: %v, %v", i, began, err)
			}
		})
		if took := time.Since(start); took != 4*time.Second {
			t.Errorf("it took %v, want four commits: the first alone, and the others as they gathered", took)
		}
		var sizes []int
		for _, b := range c.batches {
			sizes = append(sizes, len(b))
		}
		if !slices.Equal(sizes, []int{1, 256, 256, 87}) {
			t.Errorf("batches of %v", sizes)
		}
		for i, uid := range slices.Concat(c.batches...) {
			if uid != fmt.Sprint(i) {
				t.Fatalf("attempt %d is %s", i, uid)
			}
		}
	})
}

func TestAFailedCommitFailsAllOfItsBatchAndNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failed := errors.New("on purpose")
		c := &committer{fails: func(batch []*record) error {
			if batch[0].attempt.UID == "1" {
				return failed
			}
			return nil
		}}
		r := newRecorder(c.commit)
		submitAll(t, r, 3, func(i int, began bool, err error) {
			if want := i > 0; errors.Is(err, failed) != want || began == want {
				t.Errorf("attempt %d: %v, %v", i, began, err)
			}
		})
	})
}

func TestACommitThatPanicsOrEndsItsGoroutineFailsItsBatch(t *testing.T) {
	for name, end := range map[string]func(){"panic": func() { panic("on purpose") }, "Goexit": runtime.Goexit} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := &committer{fails: func(batch []*record) error {
					if batch[0].attempt.UID == "0" {
						end()
					}
					return nil
				}}
				r := newRecorder(c.commit)
				submitAll(t, r, 3, func(i int, began bool, err error) {
					if want := i == 0; (err != nil) != want {
						t.Errorf("attempt %d: %v, %v", i, began, err)
					}
				})
			})
		})
	}
}

func TestAnAttemptWhoseContextEndsBeforeItsBatchIsWithdrawn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := new(committer)
		r := newRecorder(c.commit)
		var all sync.WaitGroup
		all.Go(func() { _, _ = r.submit(t.Context(), publish.Attempt{UID: "first"}) })
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second/2)
		defer cancel()
		if _, err := r.submit(ctx, publish.Attempt{UID: "withdrawn"}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("submit returned %v", err)
		}
		all.Wait()
		synctest.Wait()
		if len(c.batches) != 1 || len(r.waiting) != 0 || r.running {
			t.Errorf("%q were committed, %d wait, running is %v", c.batches, len(r.waiting), r.running)
		}
	})
}

func TestACommitThatHangsEndsWithItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder(func(ctx context.Context, _ []*record) error {
			<-ctx.Done()
			return ctx.Err()
		})
		start := time.Now()
		if _, err := r.submit(t.Context(), publish.Attempt{}); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != batchTimeout {
			t.Errorf("submit returned %v after %v", err, time.Since(start))
		}
	})
}
