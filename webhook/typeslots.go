package webhook

// typeSlots are the slots of the types whose [Policy] has a Concurrency. Deliveries of
// a type without a free slot are not claimed, so that they hold no slot of the Worker.
// The pool's mu guards it.
type typeSlots struct {
	types  []string       // of the Handler; if nil, all, and no type has slots of its own
	shared []string       // those of types that have no slots of their own
	slots  map[string]int // by type
	inUse  map[string]int // by type; attempts in progress
}

// newTypeSlots returns the slots of a Worker whose Handler has the given types.
func newTypeSlots(types []string, policies map[string]Policy) *typeSlots {
	s := &typeSlots{types: types, slots: make(map[string]int), inUse: make(map[string]int)}
	for _, typ := range types {
		if n := policies[typ].Concurrency; n > 0 {
			s.slots[typ] = n
		} else {
			s.shared = append(s.shared, typ)
		}
	}
	return s
}

// ask returns what to claim next with the given number of free slots of the Worker:
// the types with a free slot, and as many claims as each of these types has room
// for. So no answer can exceed the slots of a type, and one call finds the oldest
// delivery of all these types. That may be fewer claims than the Worker has slots
// for. If restOnly is true, ask returns the types without slots of their own and the
// whole number. It returns zero if no type has a free slot.
func (s *typeSlots) ask(free int, restOnly bool) (n int, types []string) {
	switch {
	case len(s.slots) == 0:
		return free, s.types
	case restOnly:
		return free, s.shared
	}
	n, types = free, make([]string, 0, len(s.types))
	types = append(types, s.shared...)
	for typ, slots := range s.slots {
		if room := slots - s.inUse[typ]; room > 0 {
			n, types = min(n, room), append(types, typ)
		}
	}
	if len(types) == 0 {
		return 0, nil
	}
	return n, types
}

// hasRest reports whether ask with restOnly may find more than an ordinary ask that
// returned n did.
func (s *typeSlots) hasRest(n, free int) bool { return n < free && len(s.shared) > 0 }

// acquire takes a slot of the type, if the type has slots of its own.
func (s *typeSlots) acquire(typ string) {
	if s.slots[typ] > 0 {
		s.inUse[typ]++
	}
}

// release gives a slot back. It reports whether the type had no free slot before.
func (s *typeSlots) release(typ string) (wasFull bool) {
	slots := s.slots[typ]
	if slots == 0 {
		return false
	}
	wasFull = s.inUse[typ] >= slots
	s.inUse[typ]--
	return wasFull
}
