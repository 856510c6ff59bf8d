package inspect_test

import (
	"context"
	"iter"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
)

// A switchedStore can be made to fail, and counts its lists.
type switchedStore struct {
	failingStore
	mu      sync.Mutex
	failing bool
	lists   int
}

func (s *switchedStore) All(ctx context.Context, f webhook.Filter) iter.Seq2[webhook.Record, error] {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lists++
	if s.failing {
		return s.failingStore.All(ctx, f)
	}
	return s.MemInbox.All(ctx, f)
}

func (s *switchedStore) set(failing bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failing = failing
}

func (s *switchedStore) listed() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lists
}

func TestALiveListSaysThatTheStoreFailsAndGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		store := &switchedStore{failingStore: failingStore{MemInbox: r.inbox}}
		r.Inspector = r.inspector(store, ann)
		s, leave := r.watch("", false)
		time.Sleep(time.Second)
		store.set(true)
		time.Sleep(3 * time.Second)
		r.put(delivery("meanwhile", "{}"))
		time.Sleep(2 * time.Second)
		store.set(false)
		time.Sleep(3 * time.Second)
		leave()
		got := s.updates(t)
		if len(got) == 0 || !strings.HasPrefix(got[0].Error, "the store failed") || got[len(got)-1].Error != "" {
			t.Fatalf("%+v", got)
		}
		if d := cmp.Diff([]string{"meanwhile waiting"}, keys(got)); d != "" {
			t.Errorf("-want +got\n%s", d)
		}
		if n := strings.Count(r.log.String(), "live lists wait"); n != 1 || strings.Contains(s.text.String(), "db.internal") {
			t.Errorf("%d lines in the log, want one: %s", n, &r.log)
		}
	})
}
