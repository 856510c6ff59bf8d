package webhook

import (
	"reflect"
	"slices"
	"sync"
)

// underWay has the attempts of this process, of all its Workers: what one of them
// still runs under a lease that may have ended none of them claims.
var underWay registry

// A registry has attempts by the inbox that they come from.
type registry struct {
	mu      sync.Mutex
	byInbox map[any]map[*attempt]struct{}
}

// origin tells inboxes apart; those that cannot be compared count as one of
// their type.
func (g guarded) origin() any {
	if reflect.ValueOf(g.Inbox).Comparable() {
		return g.Inbox
	}
	return reflect.TypeOf(g.Inbox)
}

func (r *registry) add(a *attempt) {
	r.mu.Lock()
	defer r.mu.Unlock()
	from := a.inbox.origin()
	if r.byInbox[from] == nil {
		if r.byInbox == nil {
			r.byInbox = make(map[any]map[*attempt]struct{})
		}
		r.byInbox[from] = make(map[*attempt]struct{})
	}
	r.byInbox[from][a] = struct{}{}
}

func (r *registry) remove(a *attempt) {
	r.mu.Lock()
	defer r.mu.Unlock()
	from := a.inbox.origin()
	delete(r.byInbox[from], a)
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
	for a := range r.byInbox[from] {
		if a.lease.doubtful() && !slices.Contains(uids, a.uid) {
			uids = append(uids, a.uid)
		}
	}
	return uids
}
