package inspect_test

import (
	"context"
	"iter"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// liveTick is shorter than the time between two looks.
const liveTick = 200 * time.Millisecond

func TestAnIdleInspectorDoesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		store := &switchedStore{failingStore: failingStore{MemInbox: r.inbox}}
		r.Inspector = r.inspector(store, ann)
		time.Sleep(time.Minute)
		if n := store.listed(); n != 0 {
			t.Errorf("%d lists before anybody looked", n)
		}
		for range 2 { // and again
			before := store.listed()
			_, leave := r.watch("", false)
			_, leaveToo := r.watch("", false)
			time.Sleep(10*time.Second + liveTick/2) // between two looks
			leave()
			leaveToo()
			synctest.Wait()
			n := store.listed()
			if n -= before; n < 9 || n > 12 {
				t.Errorf("%d lists in 10 s for two viewers of nothing, want one a second for both", n)
			}
			time.Sleep(time.Hour)
			if more := store.listed() - before - n; more > 0 {
				t.Errorf("%d lists while nobody looks", more)
			}
		}
	})
}

func TestLiveListsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		began := time.Now()
		_, leave := r.watch("", false)
		time.Sleep(6 * time.Minute)
		synctest.Wait()
		s, _ := r.watch("", false)
		time.Sleep(time.Second)
		r.Close()
		r.Close()
		synctest.Wait()
		leave() // returns, since its handler has
		if !s.deadline.IsZero() {
			t.Errorf("after Close, the stream of %v goes on", time.Since(began))
		}
		requireError(t, r.get("api/live"), 503, "the inspector is closed")
		if w := r.get("api/deliveries"); w.Code != 200 {
			t.Errorf("a page after Close: %d", w.Code)
		}
	})
}

func TestThereIsABoundOfViewers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		var leaves []func()
		for range 200 {
			_, leave := r.watch("", false)
			leaves = append(leaves, leave)
		}
		time.Sleep(time.Second)
		requireError(t, r.get("api/live"), 503, "too many viewers")
		leaves[0]()
		_, leave := r.watch("", false)
		time.Sleep(time.Second)
		requireError(t, r.get("api/live"), 503, "too many viewers")
		for _, leave := range append(leaves, leave) {
			leave()
		}
	})
	r := newRig(t)
	requireError(t, r.get("api/live?stat=dead"), 400, "no parameter")
}

// A panickingStore is a broken one.
type panickingStore struct{ *webhook.MemInbox }

func (panickingStore) All(context.Context, webhook.Filter) iter.Seq2[webhook.Record, error] {
	panic("broken")
}

func (panickingStore) Overview(context.Context, int) (webhook.Overview, error) { panic("broken") }

// The inspector must not end the program in which it is mounted.
func TestAStoreThatPanicsDoesNotEndTheProgram(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.Inspector = r.inspector(panickingStore{r.inbox}, ann)
		s, leave := r.watch("", false)
		time.Sleep(1500 * time.Millisecond)
		leave()
		if got := s.updates(t); len(got) == 0 || got[0].Error == "" {
			t.Errorf("%+v, want an error", got)
		}
		requireError(t, r.get("api/overview"), 503, "the store failed; the log says why")
	})
}

// A lingeringStore answers some time after its caller has gone.
type lingeringStore struct{ *webhook.MemInbox }

func (s lingeringStore) All(ctx context.Context, f webhook.Filter) iter.Seq2[webhook.Record, error] {
	return func(yield func(webhook.Record, error) bool) {
		time.Sleep(time.Second)
		for r, err := range s.MemInbox.All(ctx, f) {
			if !yield(r, err) {
				return
			}
		}
	}
}

// The look that ends because its last viewer has gone must not count for the next viewer.
func TestAViewerWhoComesWhenTheLastOneGoesGetsWhatIsThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.Inspector = r.inspector(lingeringStore{r.inbox}, ann)
		r.put(delivery("key", "{}"))
		_, leave := r.watch("", false)
		time.Sleep(500 * time.Millisecond)
		leave()
		s, leaveToo := r.watch("", false)
		time.Sleep(3 * time.Second)
		leaveToo()
		if got := keys(s.updates(t)); len(got) != 1 || got[0] != "key waiting" {
			t.Errorf("%v, want the delivery", got)
		}
	})
}
