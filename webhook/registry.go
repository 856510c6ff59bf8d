package webhook

import (
	"reflect"
	"slices"
	"sync"
)

// underWay holds the pools of all Workers of this process. None of them claims a
// delivery that another one still runs under a lease that may have ended.
var underWay registry

// A registry holds pools by the inbox that they claim from.
type registry struct {
	mu      sync.Mutex
	byInbox map[any][]*pool
}

// origin returns what tells the inbox from others: itself, or its type if it
// cannot be compared.
func (g guarded) origin() any {
	if reflect.ValueOf(g.Queue).Comparable() {
		return g.Queue
	}
	return reflect.TypeOf(g.Queue)
}

func (r *registry) add(p *pool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.byInbox == nil {
		r.byInbox = make(map[any][]*pool)
	}
	from := p.inbox.origin()
	r.byInbox[from] = append(r.byInbox[from], p)
}

// remove takes out a pool that has nothing under way.
func (r *registry) remove(p *pool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	from := p.inbox.origin()
	r.byInbox[from] = slices.DeleteFunc(r.byInbox[from], func(other *pool) bool { return other == p })
	if len(r.byInbox[from]) == 0 {
		delete(r.byInbox, from)
	}
}

// adrift returns the UIDs from that inbox that are under way and whose lease may
// have ended; nil if there are none.
func (r *registry) adrift(from any) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var uids []string
	for _, p := range r.byInbox[from] {
		uids = p.adrift(uids)
	}
	slices.Sort(uids)
	return slices.Compact(uids)
}

func (p *pool) adrift(uids []string) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	for a := range p.running {
		if a.lease.doubtful() {
			uids = append(uids, a.claim().Delivery.UID)
		}
	}
	return uids
}
