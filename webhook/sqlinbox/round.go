package sqlinbox

import (
	"context"
	"fmt"
)

// putCarefully decides about each delivery in order, in the transaction of s.
func (in *Inbox) putCarefully(ctx context.Context, s session, puts []*job, g grip) error {
	for _, j := range puts {
		j.reset()
	}
	for len(puts) > 0 {
		var round []*job
		round, puts = nextRound(puts)
		if err := in.putRound(ctx, s, round, g, 0); err != nil {
			return err
		}
		puts = notHeld(puts, round)
	}
	return nil
}

// notHeld leaves out those whose key a round before has found to be held: they
// are held too.
func notHeld(puts, round []*job) []*job {
	keys := make(map[keyed]bool)
	for _, j := range round {
		if j.held && j.put.delivery.OrderingKey != "" {
			keys[j.put.keyed()] = true
		}
	}
	if len(keys) == 0 {
		return puts
	}
	var left []*job
	for _, j := range puts {
		if j.held = keys[j.put.keyed()]; !j.held {
			left = append(left, j)
		}
	}
	return left
}

// nextRound takes deliveries from the front that cannot be duplicates of each
// other, nor supersede each other: one look decides about all of them.
func nextRound(puts []*job) (round, rest []*job) {
	marks := make(map[keyed]bool, 2*len(puts))
	keys := make(map[keyed]bool, len(puts))
	var coalesced map[keyed]bool
	for i, j := range puts {
		e := j.put
		if marks[keyed{"", e.delivery.UID}] || coalesced[e.keyed()] || e.coalesces() && keys[e.keyed()] {
			return puts[:i], puts[i:]
		}
		for _, m := range e.marks {
			if marks[keyed{"m" + e.delivery.Source, m}] {
				return puts[:i], puts[i:]
			}
		}
		for _, m := range e.marks {
			marks[keyed{"m" + e.delivery.Source, m}] = true
		}
		marks[keyed{"", e.delivery.UID}] = true
		keys[e.keyed()] = true
		if e.coalesces() {
			if coalesced == nil {
				coalesced = make(map[keyed]bool)
			}
			coalesced[e.keyed()] = true
		}
	}
	return puts, nil
}

// isPlain reports whether the deliveries have nothing to do with each other but
// their order.
func isPlain(batch []*job) bool {
	_, rest := nextRound(batch)
	for _, j := range batch {
		if j.put.coalesces() {
			return false
		}
	}
	return len(rest) == 0
}

func undecided(batch []*job) []*job {
	var left []*job
	for _, j := range batch {
		if !j.stored && !j.held {
			left = append(left, j)
		}
	}
	return left
}

// putRound stores what is not known, and marks what is held. A round is one
// delivery where statements take one. Tries counts the rounds before, with what
// was left of them.
func (in *Inbox) putRound(ctx context.Context, s session, round []*job, g grip, tries int) error {
	a := in.putArgs(entries(round), g.limit)
	ours, err := in.lockRound(ctx, s, round, a, g)
	if err != nil || len(ours) == 0 {
		return err
	}
	if len(ours) < len(round) {
		a = in.putArgs(entries(ours), g.limit)
	}
	fresh, changed, err := in.withoutKnown(ctx, s, ours, a, g)
	if err != nil || len(fresh) == 0 {
		return err
	}
	if len(fresh) < len(ours) {
		a = in.putArgs(entries(fresh), g.limit) // no head steps aside for a duplicate
	}
	room, err := in.makeRoom(ctx, s, fresh, a)
	if err != nil {
		return err
	}
	if in.dialect.pinned {
		return in.insertMarked(ctx, s, fresh[0].put, a)
	}
	// What has been changed for a delivery must not stand without it: it is stored,
	// or refused by the database.
	a = in.putArgs(entries(fresh), g.limit)
	a["locked"], a["sure"] = 1, number(changed || room)
	fates, err := in.insert(ctx, s, "insert", a)
	if err != nil {
		return err
	}
	var left []*job
	for _, j := range fresh {
		if fates[j.put.delivery.UID] != stored {
			left = append(left, j)
		}
	}
	if len(left) == 0 {
		return nil
	}
	// Another writer committed what makes them duplicates, or a head, after we
	// looked.
	if tries++; tries == 10 {
		return fmt.Errorf("%w: %d of %d deliveries were stored", errConflict, len(fresh)-len(left), len(fresh))
	}
	return in.putRound(ctx, s, left, g, tries)
}

// makeRoom lets heads step aside that wait for their retry, and ends what the
// deliveries of a burst supersede. It reports whether there was any.
func (in *Inbox) makeRoom(ctx context.Context, s session, fresh []*job, a args) (changed bool, err error) {
	n, err := in.exec(ctx, s, "demote_head", a)
	if err != nil {
		return false, err
	}
	changed = n > 0
	for _, j := range fresh {
		if !j.put.coalesces() {
			continue
		}
		burst, err := in.supersede(ctx, s, j, j.put.keyed(), j.put.delivery.UID)
		if err != nil {
			return false, err
		}
		if burst != 0 {
			j.put.burst = burst
		}
		changed = changed || len(j.ended) > 0
	}
	return changed, nil
}
