package sqlinbox

import (
	"context"
	"fmt"
)

// putCarefully decides about each delivery in order, in the transaction of s,
// which waits so long for a Key that another holds.
func (in *Inbox) putCarefully(ctx context.Context, s session, puts []*job, wait string) error {
	for _, j := range puts {
		j.reset()
	}
	for len(puts) > 0 {
		var round []*job
		round, puts = nextRound(puts)
		if err := in.putRound(ctx, s, round, wait, 0); err != nil {
			return err
		}
	}
	return nil
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

func unstored(batch []*job) []*job {
	var left []*job
	for _, j := range batch {
		if !j.stored {
			left = append(left, j)
		}
	}
	return left
}

// putRound stores what is not known. A round is one delivery where statements
// take one. Wait bounds what a lock may take, where the database has locks; empty
// leaves the session's own bound. Tries counts the rounds before, with what was
// left of them.
func (in *Inbox) putRound(ctx context.Context, s session, round []*job, wait string, tries int) error {
	a := in.putArgs(entries(round), wait)
	if _, err := in.exec(ctx, s, "lock", a); err != nil {
		return err
	}
	fresh, err := in.withoutKnown(ctx, s, round, a)
	if err != nil || len(fresh) == 0 {
		return err
	}
	if len(fresh) < len(round) {
		a = in.putArgs(entries(fresh), wait) // no head steps aside for a duplicate
	}
	if _, err := in.exec(ctx, s, "aside", a); err != nil {
		return err
	}
	for _, j := range fresh {
		if j.put.coalesces() {
			burst, err := in.supersede(ctx, s, j, j.put.keyed(), j.put.delivery.UID)
			if err != nil {
				return err
			}
			if burst != 0 {
				j.put.burst = burst
			}
		}
	}
	if in.dialect.pinned {
		return in.insertMarked(ctx, s, fresh[0].put, a)
	}
	stored, err := in.insert(ctx, s, entries(fresh), wait)
	if err != nil || len(stored) == len(fresh) {
		return err
	}
	// Another writer committed what makes them duplicates, after we looked.
	if tries++; tries == 10 {
		return fmt.Errorf("sqlinbox: %d of %d deliveries were stored", len(stored), len(fresh))
	}
	var left []*job
	for _, j := range fresh {
		if !stored[j.put.delivery.UID] {
			left = append(left, j)
		}
	}
	return in.putRound(ctx, s, left, wait, tries)
}
