package sqlinbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

const (
	// replayPage is how many finished deliveries are looked up at a time.
	replayPage = 1000
	// replayBatch is how many run again together; see also Dialect.replayBytes.
	replayBatch = 40
	// longestPace is the largest pause between two deliveries of ReplayEvery.
	longestPace = time.Hour
)

// Replay makes finished deliveries run again; see [webhook.Admin]. It is [Inbox.ReplayEvery]
// without a pause.
func (in *Inbox) Replay(ctx context.Context, f webhook.Filter, n webhook.Note) (int, error) {
	return in.ReplayEvery(ctx, f, n, 0)
}

// ReplayEvery is Replay at a rate; see [webhook.Admin]. It commits in
// batches, and an error does not undo the batches before. While another transaction
// holds an ordering key, Replay tries the deliveries of that key again for two seconds.
// If they are still locked, it replays the others and returns an error with the number
// of deliveries that are unchanged.
func (in *Inbox) ReplayEvery(ctx context.Context, f webhook.Filter, n webhook.Note, every time.Duration) (int, error) {
	switch err := f.Validate(); {
	case err != nil:
		return 0, err
	case n.By == "":
		return 0, errors.New("sqlinbox: a replay needs a Note with By")
	case matchesAll(f):
		return 0, errors.New("sqlinbox: a replay needs a Filter that does not select all")
	case every < 0 || every > longestPace:
		return 0, fmt.Errorf("sqlinbox: a replay with every %v, which must be from 0 to %v", every, longestPace)
	}
	r := &replay{in: in, who: reason(n.By), why: reason(n.Why), every: every}
	matched := 0
	for page, err := range in.finished(ctx, f) {
		if err != nil {
			return r.done, err
		}
		matched += len(page)
		if err := r.run(ctx, page); err != nil {
			return r.done, err
		}
	}
	switch {
	case r.locked > 0:
		return r.done, fmt.Errorf("%w: %d of %d deliveries were left as they are", errLeftOut, r.locked, matched)
	case f.UID == "" || r.done > 0:
		return r.done, nil
	}
	found, err := in.Get(ctx, f.UID)
	switch {
	case err != nil:
		return 0, err
	case matched > 0 && found.State.Final() && r.ids[f.UID] != found.Seq:
		return 0, fmt.Errorf("%w: %s was replayed since it was found", webhook.ErrState, f.UID)
	case matched > 0 && found.State.Final():
		return 0, fmt.Errorf("%w: %s has a younger one of its key, which is unfinished", webhook.ErrState, f.UID)
	}
	return 0, fmt.Errorf("%w: %s is %s", webhook.ErrState, f.UID, found.State)
}

// A replay is one call of Replay.
type replay struct {
	in       *Inbox
	who, why string
	every    time.Duration
	ids      map[string]int64 // of a batch by UID, as they were found: a later run has another one
	done     int              // replayed
	locked   int              // left because another transaction held the key
}

// run replays a page, in batches.
func (r *replay) run(ctx context.Context, page []finished) error {
	bound := r.in.dialect.replayBytes
	for len(page) > 0 {
		n, bytes := 0, int64(0)
		for n < min(replayBatch, len(page)) {
			if bytes += page[n].size; n > 0 && bound > 0 && bytes > bound {
				break
			}
			n++
		}
		uids := make([]string, n)
		r.ids = make(map[string]int64, n)
		for i := range uids {
			uids[i] = page[i].uid
			r.ids[uids[i]] = page[i].id
		}
		page = page[n:]
		before := r.done
		if err := r.in.engine.replay(ctx, r, uids); err != nil {
			return err
		}
		if r.done > before {
			r.in.notify()
		}
	}
	return nil
}

// one replays a delivery in the transaction of s and reports whether it could. done is
// the number of deliveries that were replayed before.
func (r *replay) one(ctx context.Context, s session, uid string, done int) (bool, error) {
	row, err := r.in.find(ctx, s, uid, lockMode{})
	if errors.Is(err, webhook.ErrNotFound) || err == nil && (!row.state.Final() || row.id != r.ids[uid]) {
		return false, nil // another was quicker
	}
	if err != nil {
		return false, err
	}
	ok, err := r.in.requeue(ctx, s, new(job), row, rerun{replayed: true, pause: time.Duration(done) * r.every}, lockMode{})
	if err != nil || !ok {
		return false, err
	}
	_, err = r.in.exec(ctx, s, "replayed", args{"uid": uid, "who": r.who, "why": r.why, "was": string(row.state)})
	return err == nil, err
}
