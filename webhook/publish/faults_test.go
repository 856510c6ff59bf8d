package publish_test

import (
	"context"
	"errors"
	"iter"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/publish"
)

var errDown = errors.New("the database is away")

// A faultyStore fails while its fields say so.
type faultyStore struct {
	*publish.MemStore
	get, match, record, update, attempts, sweep atomic.Bool
}

func (s *faultyStore) Attempts(ctx context.Context, f publish.AttemptFilter) iter.Seq2[publish.Attempt, error] {
	if s.attempts.Load() {
		return func(yield func(publish.Attempt, error) bool) { yield(publish.Attempt{}, errDown) }
	}
	return s.MemStore.Attempts(ctx, f)
}

func (s *faultyStore) Get(ctx context.Context, id string) (*publish.Endpoint, error) {
	if s.get.Load() {
		return nil, errDown
	}
	return s.MemStore.Get(ctx, id)
}

func (s *faultyStore) Match(ctx context.Context, owner, typ string) ([]publish.Target, error) {
	if s.match.Load() {
		return nil, errDown
	}
	return s.MemStore.Match(ctx, owner, typ)
}

func (s *faultyStore) Record(ctx context.Context, a publish.Attempt) (bool, error) {
	if s.record.Load() {
		return false, errDown
	}
	return s.MemStore.Record(ctx, a)
}

func (s *faultyStore) Update(ctx context.Context, id string, change func(*publish.Endpoint) error) (*publish.Endpoint, error) {
	if s.update.Load() {
		return nil, errDown
	}
	return s.MemStore.Update(ctx, id, change)
}

func (s *faultyStore) Sweep(ctx context.Context, before time.Time, limit int) (int, error) {
	if s.sweep.Load() {
		return 0, errDown
	}
	return s.MemStore.Sweep(ctx, before, limit)
}

// A faultyInbox cannot put while its field says so.
type faultyInbox struct {
	*webhook.MemInbox
	put, get atomic.Bool
}

func (in *faultyInbox) Put(ctx context.Context, d *webhook.Delivery) error {
	if in.put.Load() {
		return errDown
	}
	return in.MemInbox.Put(ctx, d)
}

func (in *faultyInbox) Get(ctx context.Context, uid string) (webhook.Record, error) {
	if in.get.Load() {
		return webhook.Record{}, errDown
	}
	return in.MemInbox.Get(ctx, uid)
}

func TestFaultsOfOursCostNoAttempt(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t)
		store, inbox := &faultyStore{MemStore: r.store}, &faultyInbox{MemInbox: r.inbox}
		r.use(inbox, store)
		r.create("a")
		r.start()
		large := strings.Repeat("x", 100<<10) // is read from the event
		for name, fault := range map[string]*atomic.Bool{
			"Get": &store.get, "Match": &store.match, "Record": &store.record, "Update": &store.update, "Sweep": &store.sweep, "Admin.Get": &inbox.get,
		} {
			before := len(r.net.to("a"))
			fault.Store(true)
			r.publish(publish.Event{Payload: large})
			advance(20 * time.Second)
			fault.Store(false)
			advance(20 * time.Second)
			if got := len(r.net.to("a")) - before; got != 1 {
				t.Errorf("%s failed: the event was sent %d times, want once", name, got)
			}
		}
		if _, err := r.Publish(t.Context(), publish.Event{Type: "a"}); err != nil {
			t.Fatal(err)
		}
		advance(time.Second)
		for _, a := range r.attempts("a") {
			if a.Number != 1 || a.Result != publish.Delivered {
				t.Errorf("attempt %+v, want the first one, delivered: a fault of ours is not counted", a)
			}
		}
		if n := len(r.attempts("a")); n != 7 {
			t.Errorf("%d attempts are recorded, want 7", n)
		}
		if diff := cmp.Diff(map[webhook.State]int{webhook.Done: 7}, r.states("a")); diff != "" {
			t.Errorf("deliveries (-want +got):\n%s", diff)
		}
	})
}

func TestAnOutboxThatCannotStoreDeliveriesLosesNone(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t)
		inbox := &faultyInbox{MemInbox: r.inbox}
		r.use(inbox, r.store)
		r.create("a")
		id := r.publish(publish.Event{})
		inbox.put.Store(true)
		if _, err := r.Publish(t.Context(), publish.Event{Type: "a"}); !errors.Is(err, errDown) {
			t.Errorf("Publish = %v, want the error of the outbox", err)
		}
		r.start()
		advance(time.Minute)
		inbox.put.Store(false)
		advance(10 * time.Second)
		if calls := r.net.to("a"); len(calls) != 1 || calls[0].header.Get("Webhook-Id") != id {
			t.Errorf("calls %v, want one of the event that was published", calls)
		}
		if n := strings.Count(r.log.String(), "level=ERROR"); n == 0 || n > 8 {
			t.Errorf("the fault was logged %d times in a minute, want a few:\n%s", n, r.log)
		}
	})
}

func TestAnAttemptThatCannotBeRecordedIsNotRepeated(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t)
		store := &faultyStore{MemStore: r.store}
		r.use(r.inbox, store)
		r.create("a")
		r.start()
		store.record.Store(true)
		r.publish(publish.Event{})
		advance(5 * time.Minute)
		if n := len(r.net.to("a")); n != 1 {
			t.Errorf("%d requests, want 1", n)
		}
		if r.states("a")[webhook.Done] != 1 {
			t.Errorf("deliveries %v, want it done", r.states("a"))
		}
		if !strings.Contains(r.log.String(), "attempt could not be recorded") || !strings.Contains(r.log.String(), "status=200") {
			t.Errorf("the log lacks the attempt:\n%s", r.log)
		}
	})
}

func TestAPanicOfAnObserverOrASchemeCostsNothing(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t)
		var works atomic.Bool
		r.Observer = &publish.Observer{Attempted: func(context.Context, *publish.Endpoint, publish.Attempt) { panic("boom") }}
		r.Schemes = map[string]publish.Scheme{"mine": {
			Signer: func(keys []webhook.Key) webhook.Signer {
				if !works.Load() {
					panic("boom")
				}
				return &webhook.StandardWebhooks{Keys: keys}
			},
		}}
		r.create("a", func(e *publish.Endpoint) {
			e.Scheme, e.Secrets = "mine", []publish.Secret{{Secret: webhook.NewSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")}}
		})
		r.start()
		r.publish(publish.Event{})
		advance(time.Minute)
		if n := len(r.net.to("a")); n != 0 {
			t.Errorf("%d unsigned requests", n)
		}
		works.Store(true)
		advance(10 * time.Second)
		if attempts := r.attempts("a"); len(attempts) != 1 || attempts[0].Number != 1 || attempts[0].Result != publish.Delivered {
			t.Errorf("attempts %+v, want the first one, delivered", attempts)
		}
		if n := len(r.net.to("a")); n != 1 {
			t.Errorf("%d requests, want 1: a panic of the Observer does not repeat it", n)
		}
	})
}
