package storetest

import (
	"context"
	"iter"
	"sync/atomic"
	"time"

	"github.com/hookhouse/hookhouse/webhook/publish"
)

// A fault is a MemStore with one fault: some of its methods are replaced.
type fault struct {
	*publish.MemStore
	create   func(ctx context.Context, e *publish.Endpoint) (*publish.Endpoint, error)
	get      func(ctx context.Context, id string) (*publish.Endpoint, error)
	update   func(ctx context.Context, id string, change func(*publish.Endpoint) error) (*publish.Endpoint, error)
	delete   func(ctx context.Context, id string) error
	all      func(ctx context.Context, f publish.Filter) iter.Seq2[*publish.Endpoint, error]
	match    func(ctx context.Context, owner, typ string) ([]publish.Target, error)
	record   func(ctx context.Context, a publish.Attempt) (bool, error)
	attempts func(ctx context.Context, f publish.AttemptFilter) iter.Seq2[publish.Attempt, error]
	sweep    func(ctx context.Context, before time.Time, limit int) (int, error)
}

// faulty returns a store that has no fault yet.
func faulty() *fault {
	m := new(publish.MemStore)
	return &fault{m, m.Create, m.Get, m.Update, m.Delete, m.All, m.Match, m.Record, m.Attempts, m.Sweep}
}

func (f *fault) Create(ctx context.Context, e *publish.Endpoint) (*publish.Endpoint, error) {
	return f.create(ctx, e)
}
func (f *fault) Get(ctx context.Context, id string) (*publish.Endpoint, error) {
	return f.get(ctx, id)
}
func (f *fault) Update(ctx context.Context, id string, change func(*publish.Endpoint) error) (*publish.Endpoint, error) {
	return f.update(ctx, id, change)
}
func (f *fault) Delete(ctx context.Context, id string) error { return f.delete(ctx, id) }
func (f *fault) All(ctx context.Context, filter publish.Filter) iter.Seq2[*publish.Endpoint, error] {
	return f.all(ctx, filter)
}
func (f *fault) Match(ctx context.Context, owner, typ string) ([]publish.Target, error) {
	return f.match(ctx, owner, typ)
}
func (f *fault) Record(ctx context.Context, a publish.Attempt) (bool, error) {
	return f.record(ctx, a)
}
func (f *fault) Attempts(ctx context.Context, filter publish.AttemptFilter) iter.Seq2[publish.Attempt, error] {
	return f.attempts(ctx, filter)
}
func (f *fault) Sweep(ctx context.Context, before time.Time, limit int) (int, error) {
	return f.sweep(ctx, before, limit)
}

// changeCreated calls change for a copy of each endpoint that is created.
func (f *fault) changeCreated(change func(e *publish.Endpoint)) {
	f.create = func(ctx context.Context, e *publish.Endpoint) (*publish.Endpoint, error) {
		own := e.Clone()
		change(own)
		return f.MemStore.Create(ctx, own)
	}
}

// changeUpdated calls change for what each Update makes of an endpoint, with a copy of that
// before.
func (f *fault) changeUpdated(change func(before, e *publish.Endpoint)) {
	f.update = func(ctx context.Context, id string, by func(*publish.Endpoint) error) (*publish.Endpoint, error) {
		return f.MemStore.Update(ctx, id, func(e *publish.Endpoint) error {
			before := e.Clone()
			err := by(e)
			if err == nil {
				change(before, e)
			}
			return err
		})
	}
}

// changeGot calls change for each endpoint that Get returns.
func (f *fault) changeGot(change func(e *publish.Endpoint)) {
	f.get = func(ctx context.Context, id string) (*publish.Endpoint, error) {
		e, err := f.MemStore.Get(ctx, id)
		if err == nil {
			change(e)
		}
		return e, err
	}
}

// changeFilter calls change for each Filter.
func (f *fault) changeFilter(change func(filter *publish.Filter)) {
	f.all = func(ctx context.Context, filter publish.Filter) iter.Seq2[*publish.Endpoint, error] {
		change(&filter)
		return f.MemStore.All(ctx, filter)
	}
}

// changeRecorded calls change for each attempt before it is recorded, and changeBegan
// after that.
func (f *fault) changeRecorded(change func(a *publish.Attempt), changeBegan ...func(a publish.Attempt, began *bool)) {
	f.record = func(ctx context.Context, a publish.Attempt) (bool, error) {
		change(&a)
		began, err := f.MemStore.Record(ctx, a)
		for _, change := range changeBegan {
			change(a, &began)
		}
		return began, err
	}
}

// changeAttemptFilter calls change for each AttemptFilter.
func (f *fault) changeAttemptFilter(change func(filter *publish.AttemptFilter)) {
	f.attempts = func(ctx context.Context, filter publish.AttemptFilter) iter.Seq2[publish.Attempt, error] {
		change(&filter)
		return f.MemStore.Attempts(ctx, filter)
	}
}

// changeAttempts calls change for each attempt that Attempts returns, and leaves out those
// for which it returns false.
func (f *fault) changeAttempts(change func(a *publish.Attempt) bool) {
	f.attempts = func(ctx context.Context, filter publish.AttemptFilter) iter.Seq2[publish.Attempt, error] {
		return func(yield func(publish.Attempt, error) bool) {
			for a, err := range f.MemStore.Attempts(ctx, filter) {
				if (err != nil || change(&a)) && !yield(a, err) {
					return
				}
			}
		}
	}
}

// changeMatch calls change for what Match is asked.
func (f *fault) changeMatch(change func(owner, typ *string)) {
	f.match = func(ctx context.Context, owner, typ string) ([]publish.Target, error) {
		change(&owner, &typ)
		return f.MemStore.Match(ctx, owner, typ)
	}
}

// changeTargets calls change for what Match returns.
func (f *fault) changeTargets(change func(typ string, targets *[]publish.Target)) {
	f.match = func(ctx context.Context, owner, typ string) ([]publish.Target, error) {
		targets, err := f.MemStore.Match(ctx, owner, typ)
		change(typ, &targets)
		return targets, err
	}
}

// concurrent returns a func that waits for a microsecond and reports whether another call
// of it waited at the same time.
func concurrent() (busy func() bool) {
	var under atomic.Int64
	return func() bool {
		under.Add(1)
		<-time.After(time.Microsecond)
		return under.Add(-1) > 0
	}
}
