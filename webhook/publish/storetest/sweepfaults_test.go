package storetest

import (
	"context"
	"errors"
	"iter"
	"slices"
	"time"

	"github.com/hookhouse/hookhouse/webhook/publish"
)

// sweepFaults break the laws of Sweep.
var sweepFaults = []brokenLaw{
	{"Sweep deletes the attempts that began before the time", func(f *fault) { // nothing
		f.sweep = func(ctx context.Context, before time.Time, limit int) (int, error) {
			if before.Equal(someTime.Add(2 * time.Hour)) {
				return 2, ctx.Err()
			}
			return f.MemStore.Sweep(ctx, before, limit)
		}
	}},
	{"Sweep returns how many it has deleted", func(f *fault) {
		f.sweep = func(ctx context.Context, before time.Time, limit int) (int, error) {
			n, err := f.MemStore.Sweep(ctx, before, limit)
			if before.Equal(someTime.Add(3 * time.Hour)) {
				n++
			}
			return n, err
		}
	}},
	{"the last attempt of an endpoint is kept", func(f *fault) { // that of one endpoint
		f.sweep = func(ctx context.Context, before time.Time, limit int) (int, error) {
			n, err := f.MemStore.Sweep(ctx, before, limit)
			if n == 2 && len(f.list()) == 2 {
				f.changeAttempts(func(a *publish.Attempt) bool { return a.Endpoint != "ep_0002" })
			}
			return n, err
		}
	}},
	{"an attempt that was the last is swept when there is a later one", func(f *fault) {
		f.sweep = func(ctx context.Context, before time.Time, limit int) (int, error) {
			n, err := f.MemStore.Sweep(ctx, before, limit)
			if len(f.list()) == 1 && n == 1 {
				n = 0
			}
			return n, err
		}
	}},
	{"the last attempt of a deleted endpoint is swept", func(f *fault) {
		deleted := f.keepDeleted()
		f.sweep = func(ctx context.Context, before time.Time, limit int) (int, error) {
			n, err := f.MemStore.Sweep(ctx, before, limit)
			return n - len(deleted), err
		}
	}},
	{"Sweep deletes the oldest up to a limit", func(f *fault) { // those that were recorded first
		f.sweep = func(ctx context.Context, before time.Time, limit int) (int, error) {
			n, err := f.MemStore.Sweep(ctx, before, limit)
			if limit == 3 && len(f.list()) == 0 {
				f.changeAttempts(func(a *publish.Attempt) bool {
					a.UID = "3"
					return true
				})
			}
			return n, err
		}
	}},
	{"a limit counts what is deleted", func(f *fault) { // and what is kept
		f.sweep = func(ctx context.Context, before time.Time, limit int) (int, error) {
			n, err := f.MemStore.Sweep(ctx, before, limit)
			if limit == 3 {
				n = max(0, n-len(f.list()))
			}
			return n, err
		}
	}},
	{"Sweep without a limit deletes 1000", func(f *fault) { // all
		f.sweep = func(ctx context.Context, before time.Time, limit int) (int, error) {
			if limit == 0 {
				limit = 1 << 30
			}
			return f.MemStore.Sweep(ctx, before, limit)
		}
	}},
}

// strangeFaults break the laws about texts that no endpoint can have.
var strangeFaults = []brokenLaw{
	{"an ID that no endpoint can have is not found", func(f *fault) {
		f.delete = func(ctx context.Context, id string) error {
			if id == noTexts[0] {
				return errors.New("invalid byte sequence")
			}
			return f.MemStore.Delete(ctx, id)
		}
	}},
	{"a Filter with what no endpoint can have selects none", func(f *fault) { // as JSON changes it
		f.changeFilter(func(filter *publish.Filter) {
			if slices.Equal(filter.Owners, noTexts[:1]) {
				filter.Owners = []string{"odd \uFFFD"}
			}
		})
	}},
	{"an owner that no endpoint can have has none", func(f *fault) {
		f.changeMatch(func(owner, _ *string) {
			if *owner == "odd owner \xff" {
				*owner = "odd owner \uFFFD"
			}
		})
	}},
	{"a filter with what no attempt can have selects none", func(f *fault) {
		f.changeAttemptFilter(func(filter *publish.AttemptFilter) {
			if filter.UID == noTexts[0] {
				filter.UID = "odd \uFFFD"
			}
		})
	}},
}

// contextFaults break the laws about contexts.
var contextFaults = []brokenLaw{
	{"Create returns the error of a context that has ended", func(f *fault) {
		f.create = func(ctx context.Context, e *publish.Endpoint) (*publish.Endpoint, error) {
			return f.MemStore.Create(context.WithoutCancel(ctx), e)
		}
	}},
	{"Get returns the error of a context that has ended", func(f *fault) {
		f.get = func(ctx context.Context, id string) (*publish.Endpoint, error) {
			return f.MemStore.Get(context.WithoutCancel(ctx), id)
		}
	}},
	{"Update returns the error of a context that has ended", func(f *fault) {
		f.update = func(ctx context.Context, id string, change func(*publish.Endpoint) error) (*publish.Endpoint, error) {
			if ctx.Err() != nil {
				ctx = context.WithoutCancel(ctx)
			}
			return f.MemStore.Update(ctx, id, change)
		}
	}},
	{"Delete returns the error of a context that has ended", func(f *fault) {
		f.delete = func(ctx context.Context, id string) error { return f.MemStore.Delete(context.WithoutCancel(ctx), id) }
	}},
	{"All returns the error of a context that has ended", func(f *fault) {
		f.all = func(ctx context.Context, filter publish.Filter) iter.Seq2[*publish.Endpoint, error] {
			return f.MemStore.All(context.WithoutCancel(ctx), filter)
		}
	}},
	{"Match returns the error of a context that has ended", func(f *fault) {
		f.match = func(ctx context.Context, owner, typ string) ([]publish.Target, error) {
			return f.MemStore.Match(context.WithoutCancel(ctx), owner, typ)
		}
	}},
	{"Record returns the error of a context that has ended", func(f *fault) {
		f.record = func(ctx context.Context, a publish.Attempt) (bool, error) {
			return f.MemStore.Record(context.WithoutCancel(ctx), a)
		}
	}},
	{"Attempts returns the error of a context that has ended", func(f *fault) {
		f.attempts = func(ctx context.Context, filter publish.AttemptFilter) iter.Seq2[publish.Attempt, error] {
			return f.MemStore.Attempts(context.WithoutCancel(ctx), filter)
		}
	}},
	{"Sweep returns the error of a context that has ended", func(f *fault) {
		f.sweep = func(ctx context.Context, before time.Time, limit int) (int, error) {
			return f.MemStore.Sweep(context.WithoutCancel(ctx), before, limit)
		}
	}},
}
