package storetest

import (
	"context"
	"errors"
	"time"

	"github.com/hookhouse/hookhouse/webhook/publish"
)

// updatingFaults break the laws of an Update that nothing interferes with.
var updatingFaults = []brokenLaw{
	{"Update stores what change makes of an endpoint", func(f *fault) { // and hides a header
		f.changeGot(func(e *publish.Endpoint) {
			if e.Description == "become" {
				e.Header = nil
			}
		})
	}},
	{"Update returns the endpoint as it is stored", func(f *fault) {
		f.updated(func(e *publish.Endpoint) {
			if e.Description == "become" {
				e.Description = ""
			}
		})
	}},
	{"change gets the endpoint as it is", func(f *fault) { // without secrets
		f.update = func(ctx context.Context, id string, change func(*publish.Endpoint) error) (*publish.Endpoint, error) {
			return f.MemStore.Update(ctx, id, func(e *publish.Endpoint) error {
				secrets := e.Secrets
				e.Secrets = nil
				err := change(e)
				if e.Secrets == nil {
					e.Secrets = secrets
				}
				return err
			})
		}
	}},
	{"Match goes by what Update has stored", func(f *fault) { // and by what was
		f.changeMatch(func(_, typ *string) {
			if *typ == "gamma.event" {
				*typ = "alpha.event"
			}
		})
	}},
	{"Update can end the failing of an endpoint", func(f *fault) {
		f.changeUpdated(func(before, e *publish.Endpoint) {
			if e.FailingSince.IsZero() {
				e.FailingSince = before.FailingSince
			}
		})
	}},
	{"Update returns the error of change", func(f *fault) {
		f.update = func(ctx context.Context, id string, change func(*publish.Endpoint) error) (*publish.Endpoint, error) {
			return f.MemStore.Update(ctx, id, func(e *publish.Endpoint) error {
				err := change(e)
				if err != nil && err.Error() == "by the law" {
					return errors.New("change failed")
				}
				return err
			})
		}
	}},
	{"nothing is stored if change fails", func(f *fault) {
		f.update = func(ctx context.Context, id string, change func(*publish.Endpoint) error) (*publish.Endpoint, error) {
			var failed error
			e, err := f.MemStore.Update(ctx, id, func(e *publish.Endpoint) error {
				failed = change(e)
				return nil
			})
			return e, errors.Join(err, failed)
		}
	}},
	{"Update of an unknown ID is ErrNotFound", func(f *fault) {
		f.update = func(ctx context.Context, id string, change func(*publish.Endpoint) error) (*publish.Endpoint, error) {
			if id == "unknown" {
				return nil, errors.New("unknown")
			}
			return f.MemStore.Update(ctx, id, change)
		}
	}},
	{"Update refuses another ID, Owner or Created", func(f *fault) { // ignores it
		f.changeUpdated(func(before, e *publish.Endpoint) { e.Owner = before.Owner })
	}},
	{"Update refuses an invalid endpoint", func(f *fault) { // corrects it
		f.changeUpdated(func(_, e *publish.Endpoint) { e.Rate = max(e.Rate, 0) })
	}},
	{"nothing of an Update that was refused is stored", func(f *fault) { // but the description
		f.update = func(ctx context.Context, id string, change func(*publish.Endpoint) error) (*publish.Endpoint, error) {
			description := ""
			e, err := f.MemStore.Update(ctx, id, func(e *publish.Endpoint) error {
				err := change(e)
				description = e.Description
				return err
			})
			if errors.Is(err, publish.ErrEndpoint) {
				_, _ = f.MemStore.Update(ctx, id, func(e *publish.Endpoint) error {
					e.Description = description
					return nil
				})
			}
			return e, err
		}
	}},
	{"Update ignores Seq and Last", func(f *fault) {
		f.update = func(ctx context.Context, id string, change func(*publish.Endpoint) error) (*publish.Endpoint, error) {
			var last publish.Attempt
			e, err := f.MemStore.Update(ctx, id, func(e *publish.Endpoint) error {
				err := change(e)
				last = e.Last
				return err
			})
			if err == nil {
				e.Last = last
			}
			return e, err
		}
	}},
	{"times that Update stores are kept to the microsecond", func(f *fault) { // to the millisecond
		f.changeUpdated(func(_, e *publish.Endpoint) { e.Since = e.Since.Truncate(time.Millisecond) })
	}},
	{"a long Reason of an endpoint is cut", func(f *fault) { // to another length
		f.changeUpdated(func(_, e *publish.Endpoint) { e.Reason = e.Reason[:min(len(e.Reason), 255)] })
	}},
	{"a Store has a copy of what change was given", func(f *fault) {
		var kept *publish.Endpoint
		f.changeUpdated(func(_, e *publish.Endpoint) {
			if e.ID == "changed" {
				kept = e
			}
		})
		f.changeGot(func(e *publish.Endpoint) {
			if kept != nil {
				e.Meta = kept.Meta
			}
		})
	}},
}

// updated calls change for each endpoint that Update returns.
func (f *fault) updated(change func(e *publish.Endpoint)) {
	f.update = func(ctx context.Context, id string, by func(*publish.Endpoint) error) (*publish.Endpoint, error) {
		e, err := f.MemStore.Update(ctx, id, by)
		if err == nil {
			change(e)
		}
		return e, err
	}
}
