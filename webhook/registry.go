package webhook

import (
	"reflect"
	"slices"
	"sync"
)

// pools has the pools of all Workers of this process. No Worker claims a delivery
// that another one still runs under a lease that may have ended.
var pools registry

// A registry has pools by the inbox that they claim from.
type registry struct {
	mu      sync.Mutex
	byInbox map[any][]*pool
}

// identity returns a comparable value that identifies the inbox: the inbox itself, or
// its type if the inbox is not comparable.
func (g guardedQueue) identity() any {
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
	inbox := p.inbox.identity()
	r.byInbox[inbox] = append(r.byInbox[inbox], p)
}

// remove removes a pool without attempts in progress.
func (r *registry) remove(p *pool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	inbox := p.inbox.identity()
	r.byInbox[inbox] = slices.DeleteFunc(r.byInbox[inbox], func(other *pool) bool { return other == p })
	if len(r.byInbox[inbox]) == 0 {
		delete(r.byInbox, inbox)
	}
}

// uncertain returns the UIDs of deliveries of the inbox that are in progress and whose
// lease may have ended; nil if there are none.
func (r *registry) uncertain(inbox any) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var uids []string
	for _, p := range r.byInbox[inbox] {
		uids = p.appendUncertain(uids)
	}
	slices.Sort(uids)
	return slices.Compact(uids)
}

func (p *pool) appendUncertain(uids []string) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	for a := range p.running {
		if a.lease.mayExpire() {
			uids = append(uids, a.claim().Delivery.UID)
		}
	}
	return uids
}
