package sqlstore

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"
)

// bad returns a committer that refuses batches with one of these attempts.
func bad(uids ...string) *committer {
	return &committer{takes: 10 * time.Millisecond, fails: func(batch []*record) error {
		if slices.ContainsFunc(batch, func(one *record) bool { return slices.Contains(uids, one.attempt.UID) }) {
			return errRefused
		}
		return nil
	}}
}

func TestAnAttemptThatIsRefusedDoesNotFailItsBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refused := []string{"17", "42", "43", "200"}
		c := bad(refused...)
		submitAll(t, newRecorder(c.commit), 201, func(i int, began bool, err error) {
			if want := slices.Contains(refused, strconv.Itoa(i)); errors.Is(err, errRefused) != want || began == want {
				t.Errorf("attempt %d: %v, %v", i, began, err)
			}
		})
		if n := len(c.batches); n > 2+2*8*len(refused) {
			t.Errorf("it took %d commits: halves are enough", n)
		}
	})
}

func TestAnAttemptThatIsRefusedIsStoredInAnotherWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder(bad("2").commit)
		r.commitAlone = func(_ context.Context, one *record, refusal error) error {
			if one.attempt.UID != "2" || !errors.Is(refusal, errRefused) {
				t.Errorf("attempt %s is alone because of %v", one.attempt.UID, refusal)
			}
			return nil
		}
		submitAll(t, r, 5, func(i int, began bool, err error) {
			if err != nil || !began {
				t.Errorf("attempt %d: %v, %v", i, began, err)
			}
		})
	})
}

// What is no refusal says nothing about single attempts: the database is away, say.
func TestABatchThatFailsForAnotherReasonIsNotSplit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &committer{fails: func([]*record) error { return errors.New("the database is away") }}
		submitAll(t, newRecorder(c.commit), 100, func(i int, _ bool, err error) {
			if err == nil {
				t.Errorf("attempt %d has no error", i)
			}
		})
		if len(c.batches) != 2 {
			t.Errorf("%d commits, want the first alone, and the others together", len(c.batches))
		}
	})
}
