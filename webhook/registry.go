package webhook

import (
	"reflect"
	"slices"
	"sync"
)

// underWay has the pools of this process, of all its Workers: what one of them
// still runs under a lease that may have ended none of them claims.
var underWay registry

// A registry has pools by the inbox that they claim from.
type registry struct {
	mu      sync.Mutex
	byInbox map[any][]*pool
}

// origin tells inboxes apart; those that cannot be compared count as one of
// their type.
func (g guarded) origin() any {
	if reflect.ValueOf(g.Inbox).Comparable() {
		return g.Inbox
	}
	return reflect.TypeOf(g.Inbox)
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
