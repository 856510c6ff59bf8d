package sqlinbox

// nextIndependent takes deliveries from the front that cannot be duplicates of each
// other, nor supersede each other: one look-up decides about all of them.
func nextIndependent(puts []*job) (group, rest []*job) {
	dedupKeys := make(map[orderKey]bool, 2*len(puts))
	keys := make(map[orderKey]bool, len(puts))
	var coalesced map[orderKey]bool
	for i, j := range puts {
		e := j.put
		if dedupKeys[orderKey{"", e.delivery.UID}] || coalesced[e.orderKey()] || e.coalesces() && keys[e.orderKey()] {
			return puts[:i], puts[i:]
		}
		for _, k := range e.dedupKeys {
			if dedupKeys[orderKey{"m" + e.delivery.Source, k}] {
				return puts[:i], puts[i:]
			}
		}
		for _, k := range e.dedupKeys {
			dedupKeys[orderKey{"m" + e.delivery.Source, k}] = true
		}
		dedupKeys[orderKey{"", e.delivery.UID}] = true
		keys[e.orderKey()] = true
		if e.coalesces() {
			if coalesced == nil {
				coalesced = make(map[orderKey]bool)
			}
			coalesced[e.orderKey()] = true
		}
	}
	return puts, nil
}

// areIndependent reports whether the deliveries of a batch have nothing to do with
// each other but their order.
func areIndependent(batch []*job) bool {
	_, rest := nextIndependent(batch)
	for _, j := range batch {
		if j.put.coalesces() {
			return false
		}
	}
	return len(rest) == 0
}

// withoutLeftOut leaves out those whose key a group before has found to be locked:
// they are locked too.
func withoutLeftOut(puts, group []*job) []*job {
	keys := make(map[orderKey]bool)
	for _, j := range group {
		if j.leftOut && j.put.delivery.OrderingKey != "" {
			keys[j.put.orderKey()] = true
		}
	}
	if len(keys) == 0 {
		return puts
	}
	var left []*job
	for _, j := range puts {
		if j.leftOut = keys[j.put.orderKey()]; !j.leftOut {
			left = append(left, j)
		}
	}
	return left
}

func undecided(batch []*job) []*job {
	var left []*job
	for _, j := range batch {
		if !j.stored && !j.leftOut {
			left = append(left, j)
		}
	}
	return left
}
