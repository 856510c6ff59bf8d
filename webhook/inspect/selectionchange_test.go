package inspect_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// A delivery that somebody else replays meanwhile, or deletes, is skipped.
func TestASelectionSkipsWhatHasChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		list := r.dead(6)
		r.startReplay(`{"state":"dead","rate":1,"why":"x"}`)
		time.Sleep(1100 * time.Millisecond)
		note := webhook.Note{By: "bob"}
		if n, err := r.inbox.Replay(t.Context(), webhook.Filter{UID: list[3].UID}, note); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		r.settle(webhook.Dead, "") // the first, which was replayed before
		r.settle(webhook.Dead, "") // what bob has replayed matches again, as a later run
		if n, err := r.inbox.Discard(t.Context(), webhook.Filter{UID: list[5].UID}, note); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		run := r.runs()[0]
		if run.State != "done" || run.Replayed != 4 || run.Skipped != 2 || len(run.Faults) != 2 || run.Faults[0].UID != list[3].UID {
			t.Errorf("%+v", run)
		}
		if got := r.replays(list[:5]); got != ones(5) {
			t.Errorf("replayed %s", got)
		}
	})
}

// A viewer who leaves must not leave a selection half begun.
func TestASelectionGoesOnWhenItsViewerHasLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		list := r.dead(3)
		ctx, cancel := context.WithCancel(t.Context())
		request := httptest.NewRequest("POST", "/debug/hooks/api/replays", strings.NewReader(`{"state":"dead","why":"x"}`)).WithContext(ctx)
		request.Header.Set("Content-Type", "application/json")
		r.serve(request)
		cancel()
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if got := r.replays(list); got != ones(3) {
			t.Errorf("replayed %s", got)
		}
	})
}

// What is being replayed when a selection is stopped is not cut off: nobody would know whether
// it was done.
func TestAStopLetsTheReplayOfADeliveryEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		list := r.dead(3)
		r.Inspector = r.inspector(slowReplays{r.inbox}, ann)
		r.startReplay(`{"state":"dead","rate":10,"why":"x"}`)
		time.Sleep(500 * time.Millisecond) // in the middle of the first
		r.Close()
		if run := r.runs()[0]; run.State != "running" {
			t.Errorf("it is stopped before its delivery has ended: %+v", run)
		}
		time.Sleep(5 * time.Second)
		if run := r.runs()[0]; run.State != "stopped" || run.Replayed != 1 || r.replays(list) != "100" {
			t.Errorf("%+v, and replayed %s", run, r.replays(list))
		}
	})
}

// A slowReplays takes a second for each replay.
type slowReplays struct{ *webhook.MemInbox }

func (s slowReplays) Replay(ctx context.Context, f webhook.Filter, n webhook.Note) (int, error) {
	select {
	case <-time.After(time.Second):
		return s.MemInbox.Replay(ctx, f, n)
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// A selection is read in parts, which are narrower where many match and wider where few do.
func TestALargeSelectionIsReplayedOldestFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		list := r.dead(430)
		r.fill(1500)
		list = append(list, r.dead(1)...)
		r.fill(2500)
		list = append(list, r.dead(230)...)
		r.startReplay(`{"state":"dead,waiting","rate":100,"why":"x"}`)
		time.Sleep(3300*time.Millisecond + time.Millisecond)
		synctest.Wait()
		if got := r.replays(list); got != ones(330)+strings.Repeat("0", 331) {
			t.Errorf("halfway: %s", got)
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if run := r.runs()[0]; run.State != "done" || run.Replayed != 661 || r.replays(list) != ones(661) {
			t.Errorf("%+v, and replayed %s", run, r.replays(list))
		}
	})
}

// A store that cannot be read any more, or panics, ends a selection, and not the program.
func TestASelectionEndsWhenTheStoreCannotBeRead(t *testing.T) {
	for name, fail := range map[string]func() error{
		"error": func() error { return errors.New("dial tcp 192.0.2.1: connection refused") },
		"panic": func() error { panic("broken") },
	} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t)
			list := r.dead(300)
			store := &failingReads{MemInbox: r.inbox, fail: fail}
			r.Inspector = r.inspector(store, ann)
			began := r.startReplay(`{"state":"dead","rate":100,"why":"x"}`)
			time.Sleep(time.Second)
			store.fails.Store(true)
			time.Sleep(5 * time.Second)
			synctest.Wait()
			if run := r.runs()[0]; run.State != "failed" || run.Replayed != 200 || run.Error != "the store failed; the log says why" {
				t.Errorf("%s: %+v", name, run)
			}
			store.fails.Store(false)
			r.startReplay(fmt.Sprintf(`{"state":"dead","before":%d,"rate":100,"why":"the rest"}`, began.Selection.Before))
			time.Sleep(5 * time.Second)
			synctest.Wait()
			if got := r.replays(list); got != ones(300) {
				t.Errorf("%s: replayed %s", name, got)
			}
		})
	}
}

// A failingReads fails to list while it is set to.
type failingReads struct {
	*webhook.MemInbox
	fails atomic.Bool
	fail  func() error
}

func (s *failingReads) All(ctx context.Context, f webhook.Filter) iter.Seq2[webhook.Record, error] {
	if s.fails.Load() {
		err := s.fail()
		return func(yield func(webhook.Record, error) bool) { yield(webhook.Record{}, err) }
	}
	return s.MemInbox.All(ctx, f)
}
