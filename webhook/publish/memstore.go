package publish

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
	"sync"

	"github.com/hookhouse/hookhouse/webhook"
)

// The bounds of a MemStore that sets none.
const (
	defaultMaxEndpoints = 10_000
	defaultMaxAttempts  = 100_000
)

var _ Store = (*MemStore)(nil)

// MemStore is a [Store] in memory, for tests and demos: a restart loses it. It keeps every
// law of package storetest. The zero value is ready; set the fields before use. It is safe
// for concurrent use.
type MemStore struct {
	// MaxEndpoints bounds the endpoints. Create fails with [webhook.ErrOverloaded] beyond
	// it. Zero means 10 000.
	MaxEndpoints int
	// MaxAttempts bounds the attempts. The oldest are deleted to make room, except the last
	// of each endpoint. Zero means 100 000.
	MaxAttempts int

	mu            sync.Mutex
	seq           int64                                         // of endpoints and attempts
	endpoints     map[string]*memEndpoint                       // by ID
	names         map[memName]string                            // the ID that has it
	subscriptions map[memSubscription]map[*memEndpoint]struct{} // those with the pattern
	attempts      []Attempt                                     // by Seq
	last          map[string]Attempt                            // by the ID of the endpoint
}

// Create stores e; see [Store]. If there is no room the error is [webhook.ErrOverloaded].
func (m *MemStore) Create(ctx context.Context, e *Endpoint) (*Endpoint, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := e.Validate(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if most := orDefault(m.MaxEndpoints, defaultMaxEndpoints); len(m.endpoints) >= most {
		return nil, fmt.Errorf("%w: the MemStore has %d endpoints, MaxEndpoints is %d", webhook.ErrOverloaded, len(m.endpoints), most)
	}
	if m.endpoints[e.ID] != nil {
		return nil, fmt.Errorf("%w: its ID is %s", ErrExists, quote(e.ID))
	}
	if err := m.nameIsFree(e); err != nil {
		return nil, err
	}
	m.seq++
	own := e.Stored()
	own.Seq = m.seq
	m.insert(own)
	return m.clone(own), nil
}

// nameIsFree returns ErrExists if another endpoint has the name.
func (m *MemStore) nameIsFree(e *Endpoint) error {
	if id, ok := m.names[memName{e.Owner, FoldName(e.Name)}]; ok && e.Name != "" && id != e.ID {
		return fmt.Errorf("%w: %s has the name %s", ErrExists, quote(id), quote(e.Name))
	}
	return nil
}

// clone returns a copy for a caller, with the last attempt.
func (m *MemStore) clone(e *Endpoint) *Endpoint {
	c := e.Clone()
	c.Last = m.last[e.ID]
	return c
}

// Get returns an endpoint; see [Store].
func (m *MemStore) Get(ctx context.Context, id string) (*Endpoint, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if own := m.endpoints[id]; own != nil {
		return m.clone(own.Endpoint), nil
	}
	return nil, notFound(id)
}

func notFound(id string) error { return fmt.Errorf("%w: %s", ErrNotFound, quote(id)) }

// Update changes an endpoint; see [Store].
func (m *MemStore) Update(ctx context.Context, id string, change func(e *Endpoint) error) (*Endpoint, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		m.mu.Lock()
		before := m.endpoints[id]
		if before == nil {
			m.mu.Unlock()
			return nil, notFound(id)
		}
		e := m.clone(before.Endpoint)
		m.mu.Unlock()
		if err := change(e); err != nil {
			return nil, err
		}
		if err := e.ValidateChange(before.Endpoint); err != nil {
			return nil, err
		}
		if after, err := m.replace(before, e.Stored()); after != nil || err != nil {
			return after, err
		}
	}
}

// replace stores what became of an endpoint. It returns nil if the endpoint has changed since.
func (m *MemStore) replace(before *memEndpoint, e *Endpoint) (*Endpoint, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.endpoints[before.ID] != before {
		return nil, nil
	}
	if err := m.nameIsFree(e); err != nil {
		return nil, err
	}
	e.Seq, e.Last = before.Seq, Attempt{}
	m.remove(before)
	m.insert(e)
	return m.clone(e), nil
}

// Delete deletes an endpoint; see [Store].
func (m *MemStore) Delete(ctx context.Context, id string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	own := m.endpoints[id]
	if own == nil {
		return notFound(id)
	}
	m.remove(own)
	return nil
}

// All lists endpoints; see [Store].
func (m *MemStore) All(ctx context.Context, f Filter) iter.Seq2[*Endpoint, error] {
	return func(yield func(*Endpoint, error) bool) {
		for i, e := range m.matching(f) {
			if err := ctx.Err(); err != nil {
				yield(nil, err)
				return
			}
			if f.Limit > 0 && i >= f.Limit || !yield(e, nil) {
				return
			}
		}
		if err := ctx.Err(); err != nil {
			yield(nil, err)
		}
	}
}

// matching returns copies of the endpoints that match f, in the order of their creation.
func (m *MemStore) matching(f Filter) []*Endpoint {
	m.mu.Lock()
	defer m.mu.Unlock()
	var list []*Endpoint
	for _, own := range m.endpoints {
		if f.matches(own.Endpoint) {
			list = append(list, m.clone(own.Endpoint))
		}
	}
	slices.SortFunc(list, func(a, b *Endpoint) int { return cmp.Compare(a.Seq, b.Seq) })
	return list
}

func (f *Filter) matches(e *Endpoint) bool {
	return (len(f.Owners) == 0 || slices.Contains(f.Owners, e.Owner)) &&
		(f.Name == "" || textFault(f.Name, len(f.Name)) == "" && FoldName(f.Name) == FoldName(e.Name)) &&
		(len(f.States) == 0 || slices.Contains(f.States, e.State)) &&
		(!f.Failing || !e.FailingSince.IsZero()) && e.Seq > f.After
}

// Match returns the endpoints of a type; see [Store].
func (m *MemStore) Match(ctx context.Context, owner, typ string) ([]Target, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := ValidateType(typ); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var found []*memEndpoint
	for _, pattern := range Patterns(typ) {
		for own := range m.subscriptions[memSubscription{owner, pattern}] {
			if own.State != Disabled {
				found = append(found, own)
			}
		}
	}
	slices.SortFunc(found, func(a, b *memEndpoint) int { return cmp.Compare(a.Seq, b.Seq) })
	var targets []Target
	for _, own := range slices.Compact(found) {
		targets = append(targets, Target{ID: own.ID, Lanes: own.Lanes})
	}
	return targets, nil
}

// orDefault returns n, or the default if n is not positive.
func orDefault(n, otherwise int) int {
	if n <= 0 {
		return otherwise
	}
	return n
}
