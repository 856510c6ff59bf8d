package storetest

import (
	"context"
	"errors"
	"strings"

	"github.com/hookhouse/hookhouse/webhook/publish"
)

// conflictFaults break the laws of an Update while others change the endpoint.
var conflictFaults = []brokenLaw{
	{"concurrent updates lose nothing", func(f *fault) {
		busy := concurrent()
		f.update = func(ctx context.Context, id string, change func(*publish.Endpoint) error) (*publish.Endpoint, error) {
			e, err := f.MemStore.Get(ctx, id)
			if err != nil || !busy() {
				return f.MemStore.Update(ctx, id, change)
			}
			return f.MemStore.Update(ctx, id, func(now *publish.Endpoint) error { // with what was read before
				*now = *e.Clone()
				return change(now)
			})
		}
	}},
	{"an Update while change runs is not lost", func(f *fault) {
		f.overwrites(func(e *publish.Endpoint) bool { return e.Description == "inner" })
	}},
	{"a failing that begins while change runs is not lost", func(f *fault) {
		f.overwrites(func(e *publish.Endpoint) bool { return e.Description == "new" && !e.FailingSince.IsZero() })
	}},
	{"a failing that ends while change runs has ended", func(f *fault) {
		f.overwrites(func(e *publish.Endpoint) bool { return e.Description == "new" && e.FailingSince.IsZero() })
	}},
	{"an endpoint that is deleted while change runs is not found", func(f *fault) { // but stored again
		f.update = func(ctx context.Context, id string, change func(*publish.Endpoint) error) (*publish.Endpoint, error) {
			var last *publish.Endpoint
			e, err := f.MemStore.Update(ctx, id, func(e *publish.Endpoint) error {
				last = e
				return change(e)
			})
			if errors.Is(err, publish.ErrNotFound) && last != nil {
				return f.MemStore.Create(ctx, last)
			}
			return e, err
		}
	}},
	{"an endpoint that is created anew while change runs is another", func(f *fault) {
		f.overwrites(func(e *publish.Endpoint) bool { return e.Description == "again" })
	}},
	{"Update ends with its context", func(f *fault) {
		f.update = func(ctx context.Context, id string, change func(*publish.Endpoint) error) (*publish.Endpoint, error) {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			return f.MemStore.Update(context.WithoutCancel(ctx), id, change)
		}
	}},
}

// overwrites stores what the first call of change has made, if the endpoint as a later call
// has made it is one for which says so.
func (f *fault) overwrites(says func(e *publish.Endpoint) bool) {
	f.update = func(ctx context.Context, id string, change func(*publish.Endpoint) error) (*publish.Endpoint, error) {
		var first *publish.Endpoint
		return f.MemStore.Update(ctx, id, func(e *publish.Endpoint) error {
			if err := change(e); err != nil {
				return err
			}
			if first == nil {
				first = e.Clone()
			} else if says(e) {
				*e = *first
			}
			return nil
		})
	}
}

// renamingFaults break the laws of an Update that changes the name.
var renamingFaults = []brokenLaw{
	{"Update refuses the name of another endpoint", func(f *fault) {
		f.changeUpdated(func(_, e *publish.Endpoint) {
			if e.Name == "NAME 2" {
				e.Name = ""
			}
		})
	}},
	{"Update can write a name in another case", func(f *fault) {
		f.changeUpdated(func(before, e *publish.Endpoint) {
			if strings.EqualFold(before.Name, e.Name) {
				e.Name = before.Name
			}
		})
	}},
	{"a name that an endpoint gives up while change runs is free", func(f *fault) { // looks at the name first
		f.update = func(ctx context.Context, id string, change func(*publish.Endpoint) error) (*publish.Endpoint, error) {
			return f.MemStore.Update(ctx, id, func(e *publish.Endpoint) error {
				if err := change(e); err != nil || e.Name == "" {
					return err
				}
				for other, err := range f.MemStore.All(ctx, publish.Filter{Owners: []string{e.Owner}, Name: e.Name}) {
					if err == nil && other.ID != id {
						return publish.ErrExists
					}
				}
				return nil
			})
		}
	}},
	{"a name that an endpoint gave up is free", func(f *fault) {
		given := make(map[string]bool)
		f.changeUpdated(func(before, e *publish.Endpoint) {
			if e.Name == "given up for this" {
				given[before.Name] = true
			}
		})
		f.create = func(ctx context.Context, e *publish.Endpoint) (*publish.Endpoint, error) {
			if given[e.Name] {
				return nil, publish.ErrExists
			}
			return f.MemStore.Create(ctx, e)
		}
	}},
	{"of endpoints that take one name at once, one gets it", func(f *fault) {
		busy := concurrent()
		f.changeUpdated(func(_, e *publish.Endpoint) {
			if e.Name == "taken at once" && busy() {
				e.Name += e.ID
			}
		})
	}},
}
