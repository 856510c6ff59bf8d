package storetest

import (
	"context"
	"errors"
	"iter"
	"slices"
	"strings"

	"github.com/hookhouse/hookhouse/webhook/publish"
)

// deletingFaults break the laws of Delete.
var deletingFaults = []brokenLaw{
	{"Get does not find a deleted endpoint", func(f *fault) {
		deleted := f.keepDeleted()
		f.get = func(ctx context.Context, id string) (*publish.Endpoint, error) {
			e, err := f.MemStore.Get(ctx, id)
			if deleted[id] != nil && err != nil {
				return deleted[id], nil
			}
			return e, err
		}
	}},
	{"All does not find a deleted endpoint", func(f *fault) {
		deleted := f.keepDeleted()
		f.all = func(ctx context.Context, filter publish.Filter) iter.Seq2[*publish.Endpoint, error] {
			return func(yield func(*publish.Endpoint, error) bool) {
				for e, err := range f.MemStore.All(ctx, filter) {
					for _, d := range deleted {
						yield(d, nil)
					}
					if !yield(e, err) {
						return
					}
				}
			}
		}
	}},
	{"Match does not find a deleted endpoint", func(f *fault) {
		deleted := f.keepDeleted()
		f.changeTargets(func(_ string, targets *[]publish.Target) {
			for id := range deleted {
				if len(*targets) > 0 {
					*targets = append(*targets, publish.Target{ID: id})
				}
			}
		})
	}},
	{"the name of a deleted endpoint is free", func(f *fault) {
		deleted := f.keepDeleted()
		f.create = func(ctx context.Context, e *publish.Endpoint) (*publish.Endpoint, error) {
			for _, d := range deleted {
				if d.Name == e.Name {
					return nil, publish.ErrExists
				}
			}
			return f.MemStore.Create(ctx, e)
		}
	}},
	{"an endpoint can be created with the ID of a deleted one", func(f *fault) { // with its patterns
		deleted := f.keepDeleted()
		f.changeCreated(func(e *publish.Endpoint) {
			if d := deleted[e.ID]; d != nil && e.Events[0] == "other.event" {
				e.Events = append(e.Events, d.Events...)
			}
		})
	}},
	{"the attempts of a deleted endpoint remain", func(f *fault) {
		deleted := f.keepDeleted()
		f.changeAttempts(func(a *publish.Attempt) bool { return deleted[a.Endpoint] == nil })
	}},
	{"Delete of an unknown ID is ErrNotFound", func(f *fault) {
		f.delete = func(ctx context.Context, id string) error {
			if id == "unknown" {
				return nil
			}
			return f.MemStore.Delete(ctx, id)
		}
	}},
}

// keepDeleted returns a map to which each deleted endpoint is added.
func (f *fault) keepDeleted() map[string]*publish.Endpoint {
	deleted := make(map[string]*publish.Endpoint)
	f.delete = func(ctx context.Context, id string) error {
		if e, err := f.MemStore.Get(ctx, id); err == nil {
			deleted[id] = e
		}
		return f.MemStore.Delete(ctx, id)
	}
	return deleted
}

// listingFaults break the laws of All.
var listingFaults = []brokenLaw{
	{"All returns endpoints in the order of their creation", func(f *fault) { // in that of their IDs
		f.changeList(func(list []*publish.Endpoint) []*publish.Endpoint {
			slices.SortFunc(list, func(a, b *publish.Endpoint) int { return strings.Compare(a.ID, b.ID) })
			return list
		})
	}},
	{"All returns endpoints with every field", func(f *fault) {
		f.changeListed(func(e *publish.Endpoint) bool {
			e.Secrets = nil
			return true
		})
	}},
	{"All returns endpoints with their last attempts", func(f *fault) {
		f.changeListed(func(e *publish.Endpoint) bool {
			e.Last = publish.Attempt{}
			return true
		})
	}},
	{"All selects owners", func(f *fault) { // the first one only
		f.changeFilter(func(filter *publish.Filter) { filter.Owners = filter.Owners[:min(1, len(filter.Owners))] })
	}},
	{"All selects endpoints without an owner", func(f *fault) { // takes an empty one for any
		f.changeFilter(func(filter *publish.Filter) {
			filter.Owners = slices.DeleteFunc(slices.Clone(filter.Owners), func(o string) bool { return o == "" })
		})
	}},
	{"All selects a name, without regard to case", func(f *fault) {
		f.all = func(ctx context.Context, filter publish.Filter) iter.Seq2[*publish.Endpoint, error] {
			return func(yield func(*publish.Endpoint, error) bool) {
				for e, err := range f.MemStore.All(ctx, filter) {
					if (err != nil || filter.Name == "" || e.Name == filter.Name) && !yield(e, err) {
						return
					}
				}
			}
		}
	}},
	{"All selects states", func(f *fault) { // the first one only
		f.changeFilter(func(filter *publish.Filter) { filter.States = filter.States[:min(1, len(filter.States))] })
	}},
	{"All selects endpoints that are failing", func(f *fault) {
		f.changeFilter(func(filter *publish.Filter) {
			if filter.Owners == nil && len(f.failing()) == 1 {
				filter.Failing = false
			}
		})
	}},
	{"an endpoint must match all fields of a Filter", func(f *fault) {
		f.changeFilter(func(filter *publish.Filter) {
			if filter.States != nil {
				filter.Owners = nil
			}
		})
	}},
	{"All goes on after a Seq", func(f *fault) { // with it
		f.changeFilter(func(filter *publish.Filter) { filter.After = max(0, filter.After-1) })
	}},
	{"All returns the first up to a limit", func(f *fault) { // one more
		f.changeFilter(func(filter *publish.Filter) {
			if filter.Limit > 0 {
				filter.Limit++
			}
		})
	}},
	{"All returns many endpoints, each once", func(f *fault) { // the first page
		f.changeFilter(func(filter *publish.Filter) {
			if filter.Limit == 0 {
				filter.Limit = 100
			}
		})
	}},
	{"a Store can be used while All goes on", func(f *fault) {
		busy := false
		f.all = func(ctx context.Context, filter publish.Filter) iter.Seq2[*publish.Endpoint, error] {
			return func(yield func(*publish.Endpoint, error) bool) {
				busy = true
				f.MemStore.All(ctx, filter)(yield)
				busy = false
			}
		}
		f.update = func(ctx context.Context, id string, change func(*publish.Endpoint) error) (*publish.Endpoint, error) {
			if busy {
				return nil, errors.New("locked")
			}
			return f.MemStore.Update(ctx, id, change)
		}
	}},
}

// failing returns the endpoints that are failing.
func (f *fault) failing() (list []*publish.Endpoint) {
	for e := range f.MemStore.All(context.Background(), publish.Filter{Failing: true}) {
		list = append(list, e)
	}
	return list
}

// changeList calls change for what All returns.
func (f *fault) changeList(change func(list []*publish.Endpoint) []*publish.Endpoint) {
	f.all = func(ctx context.Context, filter publish.Filter) iter.Seq2[*publish.Endpoint, error] {
		return func(yield func(*publish.Endpoint, error) bool) {
			var list []*publish.Endpoint
			for e, err := range f.MemStore.All(ctx, filter) {
				if err != nil {
					yield(nil, err)
					return
				}
				list = append(list, e)
			}
			for _, e := range change(list) {
				if !yield(e, nil) {
					return
				}
			}
		}
	}
}

// changeListed calls change for each endpoint that All returns, and leaves out those for
// which it returns false.
func (f *fault) changeListed(change func(e *publish.Endpoint) bool) {
	f.changeList(func(list []*publish.Endpoint) []*publish.Endpoint {
		return slices.DeleteFunc(list, func(e *publish.Endpoint) bool { return !change(e) })
	})
}
