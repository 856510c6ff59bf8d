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
// the types that have room for more than above claims, and as many claims as each of
// these types has room for. So no answer can exceed the slots of a type, and one call
// finds the oldest delivery of all these types. That may be fewer claims than the
// Worker has slots for: a further call, with the number of this one as above, leaves
// out the types that have made it small. ask returns zero if no type has such room.
func (s *typeSlots) ask(free, above int) (n int, types []string) {
	if len(s.slots) == 0 {
		return free, s.types
	}
	n, types = free, make([]string, 0, len(s.types))
	types = append(types, s.shared...)
	for typ, slots := range s.slots {
		if room := slots - s.inUse[typ]; room > above {
			n, types = min(n, room), append(types, typ)
		}
	}
	if len(types) == 0 {
		return 0, nil
	}
	return n, types
}

// usable returns how many of the given slots of the Worker its types can use: fewer if
// each type has slots of its own.
func (s *typeSlots) usable(slots int) int {
	if len(s.slots) == 0 || len(s.shared) > 0 {
		return slots
	}
	own := 0
	for _, n := range s.slots {
		if own += min(n, slots-own); own == slots {
			break
		}
	}
	return own
}

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
