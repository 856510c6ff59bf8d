package sqlinbox

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// replayBatch is how many replays share a transaction.
const replayBatch = 50

// Replay runs finished deliveries again; see [Admin]. It commits in batches: an
// error leaves what was done so far.
func (in *Inbox) Replay(ctx context.Context, f Filter, n Note) (int, error) {
	switch {
	case n.By == "":
		return 0, errors.New("sqlinbox: replay needs to know by whom")
	case f.matchesAll():
		return 0, errors.New("sqlinbox: replay needs to know what: the filter is empty")
	}
	uids, err := in.replayable(ctx, f)
	if err != nil {
		return 0, err
	}
	total := 0
	for batch := range slices.Chunk(uids, replayBatch) {
		done := 0
		err := in.transact(ctx, func(ctx context.Context, s session) error {
			done = 0
			for _, uid := range batch {
				ok, err := in.replay(ctx, s, uid, n)
				if err != nil {
					return err
				}
				done += number(ok)
			}
			return nil
		})
		if err != nil {
			return total, err
		}
		total += done
		in.notify()
	}
	if f.UID != "" && total == 0 {
		return 0, fmt.Errorf("%w: %s has a younger one of its key, which is unfinished", ErrState, f.UID)
	}
	return total, nil
}

// replayable returns the finished ones that match now, oldest first: what has
// been replayed gets a new place and would match again.
func (in *Inbox) replayable(ctx context.Context, f Filter) ([]string, error) {
	f.Bodies = false
	var uids []string
	for r, err := range in.All(ctx, f) {
		if err != nil {
			return nil, err
		}
		if r.State.Final() {
			uids = append(uids, r.Delivery.UID)
		}
	}
	if f.UID != "" && len(uids) == 0 {
		r, err := in.Get(ctx, f.UID)
		if err != nil {
			return nil, err
		}
		return nil, fmt.Errorf("%w: %s is %s", ErrState, f.UID, r.State)
	}
	slices.Reverse(uids)
	return uids, nil
}

func (in *Inbox) replay(ctx context.Context, s session, uid string, n Note) (bool, error) {
	row, err := in.find(ctx, s, uid)
	if errors.Is(err, ErrNotFound) || err == nil && !row.state.Final() {
		return false, nil // another was quicker
	}
	ok := false
	if err == nil {
		ok, err = in.restart(ctx, s, new(job), row, 0)
	}
	if ok {
		_, err = in.exec(ctx, s, "replayed", args{"uid": uid, "who": reason(n.By), "why": reason(n.Why), "was": string(row.state)})
	}
	return ok && err == nil, err
}
