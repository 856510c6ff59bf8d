package publish_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook/publish"
)

// A forgetfulStore commits an attempt and loses the answer, as often as it says.
type forgetfulStore struct {
	*publish.MemStore
	loses, losesUpdates atomic.Int64
	beforeUpdate        func() error // its error, once, ends Update
}

func (s *forgetfulStore) Record(ctx context.Context, a publish.Attempt) (bool, error) {
	began, err := s.MemStore.Record(ctx, a)
	if s.loses.Add(-1) >= 0 {
		return false, errDown
	}
	return began, err
}

func TestTheOwnerHearsOfAFailingWhoseRecordLostItsAnswer(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var w words
		r := newRig(t)
		store := &forgetfulStore{MemStore: r.store}
		r.use(r.inbox, store)
		r.Observer = w.observer()
		r.create("a")
		r.net.at("a", status(500))
		store.loses.Store(3)
		r.start()
		id := r.publish(publish.Event{})
		advance(time.Hour)
		if said := w.failures(); len(said) != 1 || said[0].Event != id {
			t.Errorf("Failing was called with %+v, want once, for the first failure", said)
		}
	})
}

// Update loses answers as Record does.
func (s *forgetfulStore) Update(ctx context.Context, id string, change func(*publish.Endpoint) error) (*publish.Endpoint, error) {
	if f := s.beforeUpdate; f != nil {
		s.beforeUpdate = nil
		if err := f(); err != nil {
			return nil, err
		}
	}
	e, err := s.MemStore.Update(ctx, id, change)
	if err == nil && s.losesUpdates.Add(-1) >= 0 {
		return nil, errDown
	}
	return e, err
}

func TestTheOwnerHearsOfADisablingThatLostItsAnswer(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var w words
		r := newRig(t)
		store := &forgetfulStore{MemStore: r.store}
		r.use(r.inbox, store)
		r.Observer = w.observer()
		r.create("a")
		r.net.at("a", status(410))
		store.losesUpdates.Store(1)
		r.start()
		r.publish(publish.Event{})
		r.publish(publish.Event{})
		advance(time.Hour)
		if got := w.disablings(); len(got) != 1 || got[0].State != publish.Disabled {
			t.Errorf("Disabled was called with %v, want once", got)
		}
	})
}

// The other process tells its owner.
func TestADisablingThatFailsAndIsDoneByAnotherProcessIsToldOnce(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var w words
		r := newRig(t)
		store := &forgetfulStore{MemStore: r.store}
		r.use(r.inbox, store)
		r.Observer = w.observer()
		r.create("a")
		r.net.at("a", status(410))
		store.beforeUpdate = func() error {
			_, err := r.store.Update(t.Context(), "a", func(e *publish.Endpoint) error {
				e.State, e.Reason, e.Since = publish.Disabled, "status 410: it wants no events", time.Now().Add(-time.Second)
				return nil
			})
			if err != nil {
				t.Error(err)
			}
			return errDown
		}
		r.start()
		r.publish(publish.Event{})
		advance(time.Hour)
		if n := len(w.disablings()); n != 0 {
			t.Errorf("Disabled was called %d times, want never: another process did it", n)
		}
	})
}
