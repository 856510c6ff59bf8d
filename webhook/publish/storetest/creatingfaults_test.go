package storetest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/hookhouse/hookhouse/webhook/publish"
)

// creatingFaults break the laws of Create when it succeeds, and of Get.
var creatingFaults = []brokenLaw{
	{"Get returns a created endpoint with every field", func(f *fault) { // but its scheme
		f.changeGot(func(e *publish.Endpoint) {
			if e.ID == "ep_0001" && e.Scheme == "standard" && e.Description != "become" {
				e.Scheme = ""
			}
		})
	}},
	{"Create returns the endpoint as it is stored", func(f *fault) { // as it is given, in lower case
		f.created(func(e *publish.Endpoint) {
			if e.Scheme == "standard" {
				e.Name = strings.ToLower(e.Name)
			}
		})
	}},
	{"an endpoint has a higher Seq than those that were created before", func(f *fault) {
		f.created(func(e *publish.Endpoint) { e.Seq = 7 })
		update := f.update // which compares with what Create returned
		f.update = func(ctx context.Context, id string, change func(*publish.Endpoint) error) (*publish.Endpoint, error) {
			e, err := update(ctx, id, change)
			if e != nil {
				e.Seq = 7
			}
			return e, err
		}
		f.changeFilter(func(filter *publish.Filter) {
			if filter.After == 7 {
				filter.After = 2
			}
		})
	}},
	{"Create ignores Seq and Last", func(f *fault) { // returns what it was given
		f.create = func(ctx context.Context, e *publish.Endpoint) (*publish.Endpoint, error) {
			stored, err := f.MemStore.Create(ctx, e)
			if err == nil {
				stored.Last = e.Last
			}
			return stored, err
		}
	}},
	{"times of an endpoint are kept to the microsecond", func(f *fault) { // to the millisecond
		f.changeCreated(func(e *publish.Endpoint) { e.Since = e.Since.Truncate(time.Millisecond) })
	}},
	{"secrets are stored with their bytes, their ends and their order", func(f *fault) { // newest first
		f.changeCreated(func(e *publish.Endpoint) {
			if len(e.Secrets) == 3 {
				slices.Reverse(e.Secrets)
			}
		})
	}},
	{"the largest endpoint is stored", func(f *fault) { // cut
		f.changeCreated(func(e *publish.Endpoint) { e.Description = e.Description[:min(len(e.Description), 1000)] })
	}},
	{"a Store has a copy of what it was given", func(f *fault) {
		var given *publish.Endpoint
		f.create = func(ctx context.Context, e *publish.Endpoint) (*publish.Endpoint, error) {
			if e.ID == "given" {
				given = e
			}
			return f.MemStore.Create(ctx, e)
		}
		f.changeGot(func(e *publish.Endpoint) {
			if given != nil {
				e.Meta = given.Meta
			}
		})
	}},
	{"a Store returns a copy of what it has", func(f *fault) {
		has := make(map[string]*publish.Endpoint)
		f.changeGot(func(e *publish.Endpoint) {
			if e.ID != "returned" {
				return
			}
			if has[e.ID] == nil {
				has[e.ID] = e
			}
			e.Header = has[e.ID].Header
		})
	}},
	{"Get of an unknown ID is ErrNotFound", func(f *fault) {
		f.get = func(ctx context.Context, id string) (*publish.Endpoint, error) {
			if id == "unknown" {
				return nil, errors.New("unknown")
			}
			return f.MemStore.Get(ctx, id)
		}
	}},
	{"an endpoint of another owner may have the same name", func(f *fault) {
		f.create = func(ctx context.Context, e *publish.Endpoint) (*publish.Endpoint, error) {
			for range f.MemStore.All(ctx, publish.Filter{Name: e.Name, Limit: 1}) {
				if e.Name != "" {
					return nil, publish.ErrExists
				}
			}
			return f.MemStore.Create(ctx, e)
		}
		f.orInvalid()
	}},
	{"endpoints without a name do not conflict", func(f *fault) {
		nameless := false
		f.create = func(ctx context.Context, e *publish.Endpoint) (*publish.Endpoint, error) {
			if e.Name == "" {
				if nameless {
					return nil, publish.ErrExists
				}
				nameless = true
			}
			return f.MemStore.Create(ctx, e)
		}
	}},
	{"of endpoints that are created with one name at once, one is stored", func(f *fault) {
		busy := concurrent()
		f.changeCreated(func(e *publish.Endpoint) {
			if e.Name == "at once" && busy() {
				e.Name += " " + e.ID
			}
		})
	}},
}

// created calls change for each endpoint that Create returns.
func (f *fault) created(change func(e *publish.Endpoint)) {
	f.create = func(ctx context.Context, e *publish.Endpoint) (*publish.Endpoint, error) {
		stored, err := f.MemStore.Create(ctx, e)
		if err == nil {
			change(stored)
		}
		return stored, err
	}
}

// orInvalid lets Create fail as a MemStore does if the endpoint is invalid or the context has
// ended.
func (f *fault) orInvalid() {
	create := f.create
	f.create = func(ctx context.Context, e *publish.Endpoint) (*publish.Endpoint, error) {
		if e.Validate() != nil || ctx.Err() != nil {
			return f.MemStore.Create(ctx, e)
		}
		return create(ctx, e)
	}
}

// refusingFaults break the laws of Create when it fails.
var refusingFaults = []brokenLaw{
	{"Create refuses an ID that is in use", func(f *fault) { // replaces the endpoint
		f.create = func(ctx context.Context, e *publish.Endpoint) (*publish.Endpoint, error) {
			stored, err := f.MemStore.Create(ctx, e)
			if errors.Is(err, publish.ErrExists) && strings.Contains(err.Error(), "its ID") {
				_ = f.MemStore.Delete(ctx, e.ID)
				return f.MemStore.Create(ctx, e)
			}
			return stored, err
		}
	}},
	{"Create refuses a name that another endpoint of the owner has", func(f *fault) { // adds to it
		f.renamed(func(e, other *publish.Endpoint) bool { return e.Name == other.Name && e.Name != "at once" })
	}},
	{"names are compared without regard to case", func(f *fault) {
		f.renamed(func(e, other *publish.Endpoint) bool { return e.Name != other.Name })
	}},
	{"Create refuses an invalid endpoint", func(f *fault) { // corrects it
		f.changeCreated(func(e *publish.Endpoint) { e.Lanes = max(e.Lanes, 0) })
	}},
	{"nothing of an endpoint that was refused is stored", func(f *fault) {
		f.create = func(ctx context.Context, e *publish.Endpoint) (*publish.Endpoint, error) {
			stored, err := f.MemStore.Create(ctx, e)
			if e.URL == "" {
				e.URL = "https://example.com"
				_, _ = f.MemStore.Create(ctx, e)
			}
			return stored, err
		}
	}},
}

// renamed gives an endpoint another name if it has that of another one, and merge says so.
func (f *fault) renamed(merge func(e, other *publish.Endpoint) bool) {
	f.create = func(ctx context.Context, e *publish.Endpoint) (*publish.Endpoint, error) {
		own := e.Clone()
		for other := range f.MemStore.All(ctx, publish.Filter{Owners: []string{e.Owner}, Name: e.Name}) {
			if other != nil && other.Name != "" && merge(e, other) {
				own.Name += " 2"
			}
		}
		return f.MemStore.Create(ctx, own)
	}
	f.orInvalid()
}
