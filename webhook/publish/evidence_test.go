package publish_test

import (
	"context"
	"fmt"
	"iter"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook/publish"
)

// A readStore counts the attempts that are read.
type readStore struct {
	*publish.MemStore
	read atomic.Int64
}

func (s *readStore) Attempts(ctx context.Context, f publish.AttemptFilter) iter.Seq2[publish.Attempt, error] {
	return func(yield func(publish.Attempt, error) bool) {
		for a, err := range s.MemStore.Attempts(ctx, f) {
			if s.read.Add(1); !yield(a, err) {
				return
			}
		}
	}
}

// An endpoint that rejects some events and fails for others keeps its breaker closed, so its
// failures may be millions. To judge it must not take as long as to read all of them.
func TestToJudgeAnEndpointOfManyFailuresReadsFew(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var w words
		r := newRig(t)
		store := &readStore{MemStore: r.store}
		r.use(r.inbox, store)
		r.Observer = w.observer()
		r.create("a")
		ages := []time.Duration{6 * day, 60 * time.Hour, 30 * time.Hour}
		for i := range 2000 {
			ages = append(ages, 20*time.Hour-time.Duration(i)*time.Second)
		}
		for i, age := range ages {
			a := publish.Attempt{
				Endpoint: "a", Event: "msg_1", UID: fmt.Sprint(i), Type: "some.type", Number: 1, At: time.Now().Add(-age), Result: publish.Failed,
			}
			if _, err := store.Record(t.Context(), a); err != nil {
				t.Fatal(err)
			}
		}
		r.net.at("a", status(500))
		r.start()
		r.publish(publish.Event{})
		advance(time.Second)
		if n := len(w.disablings()); n != 1 {
			t.Errorf("Disabled was called %d times, want once", n)
		}
		if n := store.read.Load(); n > 25 {
			t.Errorf("%d attempts were read", n)
		}
	})
}
