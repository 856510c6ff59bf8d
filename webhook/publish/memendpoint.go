package publish

// A memEndpoint is replaced as a whole: its endpoint is never changed, so that it can be
// read without the mutex.
type memEndpoint struct{ *Endpoint }

type (
	memName         struct{ owner, folded string }
	memSubscription struct{ owner, pattern string }
)

func (m *MemStore) insert(e *Endpoint) {
	if m.endpoints == nil {
		m.endpoints, m.names = make(map[string]*memEndpoint), make(map[memName]string)
		m.subscriptions = make(map[memSubscription]map[*memEndpoint]struct{})
	}
	own := &memEndpoint{e}
	m.endpoints[e.ID] = own
	if e.Name != "" {
		m.names[memName{e.Owner, FoldName(e.Name)}] = e.ID
	}
	for _, pattern := range e.Events {
		s := memSubscription{e.Owner, pattern}
		if m.subscriptions[s] == nil {
			m.subscriptions[s] = make(map[*memEndpoint]struct{})
		}
		m.subscriptions[s][own] = struct{}{}
	}
}

func (m *MemStore) remove(own *memEndpoint) {
	delete(m.endpoints, own.ID)
	if own.Name != "" {
		delete(m.names, memName{own.Owner, FoldName(own.Name)})
	}
	for _, pattern := range own.Events {
		s := memSubscription{own.Owner, pattern}
		if delete(m.subscriptions[s], own); len(m.subscriptions[s]) == 0 {
			delete(m.subscriptions, s)
		}
	}
}
