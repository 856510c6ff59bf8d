package inspect_test

import (
	"context"
	"fmt"
	"iter"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// A countedStore counts all calls of it, and how many records it has returned.
type countedStore struct {
	*webhook.MemInbox
	calls, records atomic.Int64
}

func (s *countedStore) All(ctx context.Context, f webhook.Filter) iter.Seq2[webhook.Record, error] {
	s.calls.Add(1)
	return func(yield func(webhook.Record, error) bool) {
		for r, err := range s.MemInbox.All(ctx, f) {
			if s.records.Add(1); !yield(r, err) {
				return
			}
		}
	}
}

func (s *countedStore) Get(ctx context.Context, uid string) (webhook.Record, error) {
	s.calls.Add(1)
	return s.MemInbox.Get(ctx, uid)
}

func (s *countedStore) Overview(ctx context.Context, limit int) (webhook.Overview, error) {
	s.calls.Add(1)
	return s.MemInbox.Overview(ctx, limit)
}

// A hundred viewers cost the store what one costs, and see the same.
func TestAHundredViewersReadTheStoreAtMostFourTimesASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const seconds = 4
		read := func(viewers int) (calls, records int64) {
			r := newRig(t)
			store := &countedStore{MemInbox: r.inbox}
			r.Inspector = r.inspector(store, ann)
			var streams []*stream
			var leaves []func()
			for i := range viewers {
				s, leave := r.watch([]string{"", "type=shop.order"}[i%2], i%10 == 9)
				streams, leaves = append(streams, s), append(leaves, leave)
			}
			time.Sleep(1100 * time.Millisecond)
			store.calls.Store(0)
			store.records.Store(0)
			for i := range 200 * seconds {
				r.put(delivery(fmt.Sprint(i), "{}"))
				time.Sleep(5 * time.Millisecond)
			}
			calls, records = store.calls.Load(), store.records.Load()
			time.Sleep(2 * time.Second)
			for _, leave := range leaves {
				leave()
			}
			for i, s := range streams {
				n := len(keys(s.updates(t)))
				if want := 200 * seconds; i%10 != 9 && n != want {
					t.Errorf("viewer %d of %d has got %d deliveries, want %d", i, viewers, n, want)
				}
				if i%10 != 9 && s.text.String() != streams[0].text.String() {
					t.Errorf("viewer %d has got another text than the first one", i)
				}
			}
			return calls, records
		}
		oneCalls, oneRecords := read(1)
		calls, records := read(100)
		if calls > 4*seconds+1 || calls > oneCalls || oneCalls < 2*seconds {
			t.Errorf("in %d s, %d calls of the store for 100 viewers, and %d for one", seconds, calls, oneCalls)
		}
		if most := int64(seconds * 4 * 280); records > most || oneRecords > most {
			t.Errorf("in %d s, %d records were read for 100 viewers, and %d for one, want at most %d", seconds, records, oneRecords, most)
		}
		t.Logf("in %d s: %d calls of the store and %d records for 100 viewers, %d and %d for one", seconds, calls, records, oneCalls, oneRecords)
	})
}
