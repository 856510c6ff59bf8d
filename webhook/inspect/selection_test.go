package inspect_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// A selectionRun is what the tests read of the replay of a selection.
type selectionRun struct {
	ID        int64
	State     string
	Selection struct {
		State  string
		Before int64
	}
	Matched           *struct{ N int }
	Replayed, Skipped int
	Faults            []struct{ UID, Error string }
	Error             string
}

// runs returns the replays of selections, newest first.
func (r *rig) runs() []selectionRun {
	r.t.Helper()
	return decode[struct{ Replays []selectionRun }](r.t, r.get("api/replays")).Replays
}

// startReplay begins the replay of a selection.
func (r *rig) startReplay(body string) selectionRun {
	r.t.Helper()
	return decode[selectionRun](r.t, r.postJSON("api/replays", body))
}

// dead stores n deliveries that are dead, and returns them oldest first.
func (r *rig) dead(n int) (list []*webhook.Delivery) {
	r.t.Helper()
	for i := range n {
		d := r.put(delivery(fmt.Sprint("key ", i), "{}"))
		if err := r.inbox.Bury(context.Background(), d.UID, webhook.Note{By: "a test"}); err != nil {
			r.t.Fatal(err)
		}
		list = append(list, d)
	}
	return list
}

// replays returns how often each delivery was replayed, as digits.
func (r *rig) replays(list []*webhook.Delivery) string {
	r.t.Helper()
	var b strings.Builder
	for _, d := range list {
		rec, err := r.inbox.Get(context.Background(), d.UID)
		if err != nil {
			r.t.Fatal(err)
		}
		b.WriteString(fmt.Sprint(len(rec.Replays)))
	}
	return b.String()
}

func ones(n int) string { return strings.Repeat("1", n) }

// Those that match run again at a rate, oldest first. What arrives later does not.
func TestASelectionIsReplayedAtARate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		list := r.dead(30)
		other := r.put(delivery("waits", "{}"))
		began := r.startReplay(`{"type":"shop.order","before":99999,"why":"the shop is back"}`)
		if began.State != "running" || began.Selection.State != "done,dead,superseded,ignored" || began.Selection.Before != 32 {
			t.Errorf("it begins as %+v", began)
		}
		later := r.dead(3)
		time.Sleep(2*time.Second + 100*time.Millisecond) // at 5 a second
		synctest.Wait()
		if got := r.replays(list); got != ones(10)+strings.Repeat("0", 20) {
			t.Errorf("after two seconds: %s", got)
		}
		if run := r.runs()[0]; run.State != "running" || run.Replayed != 10 || run.Matched == nil || run.Matched.N != 30 {
			t.Errorf("after two seconds: %+v", run)
		}
		requireError(t, r.postJSON("api/replays", `{"type":"shop.order","why":"x"}`), 409, "another selection is being replayed")
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if run := r.runs()[0]; run.State != "done" || run.Replayed != 30 || run.Skipped != 0 || len(run.Faults) != 0 {
			t.Errorf("at the end: %+v", run)
		}
		if got := r.replays(list) + r.replays(later) + r.replays([]*webhook.Delivery{other}); got != ones(30)+"0000" {
			t.Errorf("at the end: %s", got)
		}
		// The same selection has nothing left.
		r.startReplay(fmt.Sprintf(`{"type":"shop.order","before":%d,"rate":100,"why":"again"}`, began.Selection.Before))
		time.Sleep(time.Second)
		synctest.Wait()
		if run := r.runs()[0]; run.State != "done" || run.Replayed != 0 {
			t.Errorf("again: %+v", run)
		}
		acts := r.acted()
		if len(acts) != 5 || acts[2].Act != "replay a selection" || acts[2].By != "ann" || acts[2].Why != "the shop is back" || acts[2].Result != "done: 30 replayed, 0 skipped" {
			t.Errorf("the acts: %+v", acts)
		}
		if log := r.log.String(); !strings.Contains(log, "the replay of a selection ends") || !strings.Contains(log, "replayed=30") {
			t.Errorf("the log: %s", log)
		}
	})
}

// What is stopped goes on where it stopped, and replays nothing twice.
func TestASelectionThatIsStoppedGoesOn(t *testing.T) {
	for name, stop := range map[string]func(r *rig){
		"stop":   func(r *rig) { decode[any](r.t, r.postJSON("api/replays/stop", `{"id":1,"why":"too fast"}`)) },
		"Close":  func(r *rig) { r.Close() },
		"failed": nil,
	} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t)
			list := r.dead(20)
			store := &failingReplays{MemInbox: r.inbox, after: 1000}
			if stop == nil {
				store.after = 5
			}
			r.Inspector = r.inspector(store, ann)
			began := r.startReplay(`{"state":"dead","rate":10,"why":"x"}`)
			time.Sleep(510 * time.Millisecond)
			if stop != nil {
				stop(r)
			}
			time.Sleep(5 * time.Second)
			synctest.Wait()
			got := r.runs()[0]
			want := map[string]selectionRun{
				"stop":   {State: "stopped", Error: "stopped by ann: too fast"},
				"Close":  {State: "stopped", Error: "the inspector was closed"},
				"failed": {State: "failed", Error: "the store failed; the log says why"},
			}[name]
			if got.State != want.State || got.Error != want.Error || got.Replayed != 5 {
				t.Errorf("%s: %+v, want %+v", name, got, want)
			}
			if n := r.replays(list); n != ones(5)+strings.Repeat("0", 15) {
				t.Errorf("%s: replayed %s", name, n)
			}
			if stop == nil && (len(got.Faults) != 1 || got.Faults[0].UID != list[5].UID || !strings.Contains(got.Faults[0].Error, "may have been replayed")) {
				t.Errorf("%s: the faults are %+v", name, got.Faults)
			}
			if name == "Close" {
				requireError(t, r.postJSON("api/replays", `{"state":"dead","why":"x"}`), 503, "closed")
				return
			}
			// Those that were replayed are dead again, and match the filter.
			for range 5 {
				r.settle(webhook.Dead, "")
			}
			store.after = 1000
			r.startReplay(fmt.Sprintf(`{"state":"dead","before":%d,"rate":100,"why":"the rest"}`, began.Selection.Before))
			time.Sleep(time.Second)
			synctest.Wait()
			if n := r.replays(list); n != ones(20) {
				t.Errorf("%s: replayed %s", name, n)
			}
		})
	}
}

// A failingReplays fails each replay after the first ones.
type failingReplays struct {
	*webhook.MemInbox
	after, done int
}

func (s *failingReplays) Replay(ctx context.Context, f webhook.Filter, n webhook.Note) (int, error) {
	if s.done++; s.done > s.after {
		return 0, errors.New("dial tcp 192.0.2.1: connection refused")
	}
	return s.MemInbox.Replay(ctx, f, n)
}
