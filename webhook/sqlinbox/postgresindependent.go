package sqlinbox

// A dedupKey is a dedup key with the source that it is unique in.
type dedupKey struct{ source, key string }

// nextIndependent takes deliveries from the front that cannot be duplicates of each
// other, nor supersede each other: one look-up decides about all of them.
func nextIndependent(puts []*job) (group, rest []*job) {
	uids := make(map[string]bool, len(puts))
	dedupKeys := make(map[dedupKey]bool, len(puts))
	keys := make(map[orderKey]bool, len(puts))
	var coalesced map[orderKey]bool
	for i, j := range puts {
		e := j.put
		if uids[e.delivery.UID] || coalesced[e.orderKey()] || e.coalesces() && keys[e.orderKey()] {
			return puts[:i], puts[i:]
		}
		for _, k := range e.dedupKeys {
			if dedupKeys[dedupKey{e.delivery.Source, k}] {
				return puts[:i], puts[i:]
			}
		}
		for _, k := range e.dedupKeys {
			dedupKeys[dedupKey{e.delivery.Source, k}] = true
		}
		uids[e.delivery.UID] = true
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

// areIndependent reports whether one statement can store the batch: none of it can be a
// duplicate of another, and none coalesces. Some may share an ordering key.
func areIndependent(batch []*job) bool {
	_, rest := nextIndependent(batch)
	for _, j := range batch {
		if j.put.coalesces() {
			return false
		}
	}
	return len(rest) == 0
}

// withoutLeftOut returns the puts that do not have the ordering key of one that the group
// before them has left out. It marks the others as left out too: that key is locked.
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

// undecided returns the puts that are neither stored nor left out.
func undecided(batch []*job) []*job {
	var left []*job
	for _, j := range batch {
		if !j.stored && !j.leftOut {
			left = append(left, j)
		}
	}
	return left
}
