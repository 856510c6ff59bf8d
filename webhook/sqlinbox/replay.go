package sqlinbox

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/hookhouse/hookhouse/webhook"
)

const (
	// replayPage is how many finished deliveries are looked up at a time.
	replayPage = 1000
	// replayBatch is how many are restarted together, by one statement or in one of
	// the writer's transactions. There their bodies move: replayBytes at most, beyond
	// the first.
	replayBatch = 40
	replayBytes = 1 << 20
)

// Replay runs finished deliveries again; see [webhook.Admin]. It commits in
// batches: an error leaves what was done so far. While another transaction holds
// an ordering key, those under it are tried again for two seconds; an error then
// tells that they were left as they are, after the others have been replayed.
func (in *Inbox) Replay(ctx context.Context, f webhook.Filter, n webhook.Note) (int, error) {
	switch {
	case n.By == "":
		return 0, errors.New("sqlinbox: replay needs to know by whom")
	case matchesAll(f):
		return 0, errors.New("sqlinbox: replay needs to know what: the filter is empty")
	}
	r := &replay{in: in, who: reason(n.By), why: reason(n.Why)}
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
	case r.held > 0:
		return r.done, fmt.Errorf("%w: %d of %d deliveries were left as they are", errHeld, r.held, matched)
	case f.UID == "" || r.done > 0:
		return r.done, nil
	}
	found, err := in.Get(ctx, f.UID)
	switch {
	case err != nil:
		return 0, err
	case matched > 0 && found.State.Final():
		return 0, fmt.Errorf("%w: %s has a younger one of its key, which is unfinished", webhook.ErrState, f.UID)
	}
	return 0, fmt.Errorf("%w: %s is %s", webhook.ErrState, f.UID, found.State)
}

// A replay is one call of Replay.
type replay struct {
	in       *Inbox
	who, why string
	done     int // replayed
	held     int // left because another transaction held the key
}

// run replays a page, in batches.
func (r *replay) run(ctx context.Context, page []finished) error {
	for len(page) > 0 {
		n, bytes := 0, int64(0)
		for n < min(replayBatch, len(page)) {
			if bytes += page[n].size; n > 0 && r.in.dialect.pinned && bytes > replayBytes {
				break
			}
			n++
		}
		uids := make([]string, n)
		for i := range uids {
			uids[i] = page[i].uid
		}
		page = page[n:]
		run := r.together
		if r.in.dialect.pinned {
			run = r.shared
		}
		before := r.done
		if err := run(ctx, uids); err != nil {
			return err
		}
		if r.done > before {
			r.in.notify()
		}
	}
	return nil
}

// shared replays a batch in the writer's transaction.
func (r *replay) shared(ctx context.Context, uids []string) error {
	done := 0
	err := r.in.transact(ctx, func(ctx context.Context, s session) error {
		done = 0
		for _, uid := range uids {
			ok, err := r.one(ctx, s, uid)
			if err != nil {
				return err
			}
			done += number(ok)
		}
		return nil
	})
	if err == nil {
		r.done += done
	}
	return err
}

// together replays a batch by one statement, which holds keys only while it runs,
// and by itself each that takes more. What is held is tried again for a while.
func (r *replay) together(ctx context.Context, uids []string) error {
	var patience *wait // from the first that is held on
	var alone []string
	for len(uids)+len(alone) > 0 {
		if len(uids) > 0 {
			fates, err := r.statement(ctx, uids)
			if err != nil {
				return err
			}
			alone = append(alone, fates["alone"]...)
			r.done += len(fates["done"])
			uids = fates["again"]
		}
		left := alone[:0]
		for _, uid := range alone {
			ok, err := r.byItself(ctx, uid)
			switch {
			case errors.Is(err, errHeld):
				left = append(left, uid)
			case err != nil:
				return err
			}
			r.done += number(ok)
		}
		alone = left
		if len(uids)+len(alone) == 0 {
			break
		}
		if patience == nil {
			var end func()
			patience, end = r.in.wait(ctx)
			defer end()
		}
		if err := patience.pause(); err != nil {
			if ctx.Err() == nil && !errors.Is(err, ErrClosed) {
				break
			}
			return err
		}
	}
	r.held += len(uids) + len(alone)
	return nil
}

// statement returns what became of the batch: what is "done", what is to be tried
// "again" since it is held, and what goes "alone".
func (r *replay) statement(ctx context.Context, uids []string) (map[string][]string, error) {
	if err := r.in.writes(ctx); err != nil {
		return nil, err
	}
	text, _ := json.Marshal(uids) // strings only: cannot fail
	a := args{"uids": string(text), "who": r.who, "why": r.why, "wait": lockTimeout(batchWait)}
	var fates map[string][]string
	err := again(ctx, func() error {
		fates = make(map[string][]string)
		return r.in.direct(ctx, func(ctx context.Context, s session) error {
			return r.in.query(ctx, s, "replay", a, func(row *sql.Rows) error {
				var uid, fate string
				err := row.Scan(&uid, &fate)
				fates[fate] = append(fates[fate], uid)
				return err
			})
		})
	})
	if isConflict(err) || isLockTimeout(err) {
		return map[string][]string{"alone": uids}, nil
	}
	// In the order that was asked for.
	for _, list := range fates {
		slices.SortFunc(list, func(a, b string) int { return slices.Index(uids, a) - slices.Index(uids, b) })
	}
	return fates, err
}

// byItself replays one in a transaction of its own.
func (r *replay) byItself(ctx context.Context, uid string) (ok bool, err error) {
	err = r.in.transact(ctx, func(ctx context.Context, s session) error {
		ok, err = r.one(ctx, s, uid)
		return err
	})
	if isConflict(err) || isLockTimeout(err) {
		err = errHeld
	}
	return ok && err == nil, err
}

func (r *replay) one(ctx context.Context, s session, uid string) (bool, error) {
	row, err := r.in.find(ctx, s, uid, grip{})
	if errors.Is(err, webhook.ErrNotFound) || err == nil && !row.state.Final() {
		return false, nil // another was quicker
	}
	if err != nil {
		return false, err
	}
	ok, err := r.in.restart(ctx, s, new(job), row, 0, grip{})
	if err != nil || !ok {
		return false, err
	}
	_, err = r.in.exec(ctx, s, "replayed", args{"uid": uid, "who": r.who, "why": r.why, "was": string(row.state)})
	return err == nil, err
}
