package storetest

import (
	"context"
	"sync"
	"time"

	"github.com/hookhouse/hookhouse/webhook/publish"
)

// againFaults break the laws of an attempt that is recorded again.
var againFaults = []brokenLaw{
	{"began is true again if the attempt that began the failing is recorded again", func(f *fault) {
		f.changeAgain(func(_ publish.Attempt, began *bool) { *began = false })
	}},
	{"began is false again for another failure that began at the same time", func(f *fault) {
		f.changeAgain(func(a publish.Attempt, began *bool) { *began = *began || f.failingSince(a.Endpoint).Equal(a.At) })
	}},
	{"an attempt that is recorded again does not begin the failing again", func(f *fault) {
		f.changeAgain(func(a publish.Attempt, _ *bool) {
			if a.Result == publish.Failed && f.failingSince(a.Endpoint).IsZero() {
				f.setFailing(a.Endpoint, a.At)
			}
		})
	}},
	{"an attempt that is recorded again does not end the failing again", func(f *fault) {
		f.changeAgain(func(a publish.Attempt, _ *bool) {
			if a.Result == publish.Delivered {
				f.setFailing(a.Endpoint, time.Time{})
			}
		})
	}},
}

// changeAgain calls change after an attempt was recorded again.
func (f *fault) changeAgain(change func(a publish.Attempt, began *bool)) {
	type identity struct {
		endpoint, uid string
		number        int
		at            int64
		result        publish.Result
	}
	var mu sync.Mutex
	recorded := make(map[identity]bool)
	f.changeRecorded(func(*publish.Attempt) {}, func(a publish.Attempt, began *bool) {
		id := identity{a.Endpoint, a.UID, a.Number, a.At.UnixMicro(), a.Result}
		mu.Lock()
		again := recorded[id]
		recorded[id] = true
		mu.Unlock()
		if again {
			change(a, began)
		}
	})
}

func (f *fault) failingSince(id string) time.Time {
	e, err := f.MemStore.Get(context.Background(), id)
	if err != nil {
		return time.Time{}
	}
	return e.FailingSince
}

func (f *fault) setFailing(id string, since time.Time) {
	_, _ = f.MemStore.Update(context.Background(), id, func(e *publish.Endpoint) error {
		e.FailingSince = since
		return nil
	})
}
