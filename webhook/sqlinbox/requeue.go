package sqlinbox

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// A storedRow is what is needed to run a finished delivery again.
type storedRow struct {
	id       int64
	firstID  int64 // the id of its first run
	uid      string
	state    webhook.State
	quiet    int64
	maxWait  int64
	senderID string
	revived  int
	typ      string
	orderKey
}

// find reads a delivery, and locks its row where there are several writers.
func (t *tables) find(ctx context.Context, s session, uid string, m lockMode) (storedRow, error) {
	name := "find"
	if !m.waits {
		name = "try_find"
	}
	f := storedRow{uid: uid}
	err := t.query(ctx, s, name, args{"uid": uid}, func(row *sql.Rows) error {
		return row.Scan(&f.id, &f.firstID, &f.state, &f.source, &f.key, &f.quiet, &f.maxWait, &f.senderID, &f.revived, &f.typ)
	})
	switch {
	case err != nil:
	case f.state == "":
		err = webhook.ErrNotFound
	case f.id == 0:
		err = errLeftOut
	}
	return f, err
}

// A rerun is how a finished delivery runs again.
type rerun struct {
	replayed bool          // by Replay; otherwise by a redelivery
	pause    time.Duration // before it is due
}

// requeue puts a finished delivery at the end of its key, as if it had just come.
// One that coalesces is left as it is, and false returned, while a newer one of its
// type is unfinished, which would be superseded by what it supersedes. errLeftOut comes
// before anything is changed.
func (t *tables) requeue(ctx context.Context, s session, j *job, f storedRow, r rerun, m lockMode) (bool, error) {
	a := args{"uid": f.uid, "revived": number(!r.replayed), "replayed": number(r.replayed), "pause": microseconds(r.pause), "burst": int64(1 << 62)}
	if f.key != "" {
		if _, err := t.locks.lock(ctx, s, f.orderKey, m); err != nil {
			return false, err
		}
		if newer, err := t.hasNewer(ctx, s, f); err != nil || newer {
			return false, err
		}
		if f.quiet > 0 {
			burst, err := t.supersede(ctx, s, j, burstKey{f.orderKey, f.typ}, f.uid)
			if err != nil {
				return false, err
			}
			if burst != 0 {
				a["burst"] = burst
			}
		}
	}
	var id int64
	if err := t.query(ctx, s, "restart", a, func(row *sql.Rows) error { return row.Scan(&id) }); err != nil {
		return false, err
	}
	if _, err := t.exec(ctx, s, "move_body", args{"id": id, "old": f.id}); err != nil {
		return false, err
	}
	if f.key != "" {
		if err := t.ensureHead(ctx, s, f, m); err != nil {
			return false, err
		}
	}
	return true, nil
}

// ensureHead makes sure that the key of f, which is blocked, has a head, and locks
// that head: f itself, or one that a process which takes no such lock has made. A
// head that is not locked could be finished before f is committed, and f would then
// be blocked by nothing.
func (t *tables) ensureHead(ctx context.Context, s session, f storedRow, m lockMode) error {
	if _, err := t.exec(ctx, s, "demote_head", args{"rows": keyRows(f.orderKey), "source": f.source, "key": f.key}); err != nil {
		return err
	}
	for range 5 {
		if err := t.promote(ctx, s, f.orderKey); err != nil {
			return err
		}
		hasHead, err := t.locks.lock(ctx, s, f.orderKey, m)
		switch {
		case errors.Is(err, errLeftOut):
			return fmt.Errorf("%w: %s", errConflict, f.uid)
		case err != nil:
			return err
		case !hasHead:
			continue
		}
		newer, err := t.hasNewer(ctx, s, f)
		if err == nil && newer {
			err = fmt.Errorf("%w: %s has a newer delivery of its burst", errConflict, f.uid)
		}
		return err
	}
	return fmt.Errorf("%w: the key of %s has no head", errConflict, f.uid)
}

// hasNewer reports whether f coalesces and a newer one of its key and type is
// unfinished.
func (t *tables) hasNewer(ctx context.Context, s session, f storedRow) (bool, error) {
	if f.quiet == 0 {
		return false, nil
	}
	var n int
	err := t.query(ctx, s, "newer", args{"source": f.source, "key": f.key, "type": f.typ, "origin": f.firstID}, scanOne(&n))
	return n > 0, err
}

// promote makes the next delivery of a key without a head its head.
func (t *tables) promote(ctx context.Context, s session, k orderKey) error {
	_, err := t.exec(ctx, s, "promote", args{"source": k.source, "key": k.key})
	return err
}

// makeRoom ends what the deliveries of a burst supersede, and demotes heads that wait
// for their retry and let others pass. It reports whether there was any.
//
// If the head of a key is superseded, an older delivery of another type may be next: it
// becomes the head before the new one is inserted.
func (t *tables) makeRoom(ctx context.Context, s session, fresh []*job, a args) (changed bool, err error) {
	for _, j := range fresh {
		if !j.put.coalesces() {
			continue
		}
		burst, err := t.supersede(ctx, s, j, j.put.burstKey(), j.put.delivery.UID)
		if err != nil {
			return false, err
		}
		if burst != 0 {
			j.put.burst = burst
		}
		if len(j.superseded) == 0 {
			continue
		}
		changed = true
		if err := t.promote(ctx, s, j.put.orderKey()); err != nil {
			return false, err
		}
	}
	n, err := t.exec(ctx, s, "demote_head", a)
	return changed || n > 0, err
}

// supersede ends the older ones of a burst that no worker has, except the one with
// that UID, and returns when the burst began: zero means now.
func (t *tables) supersede(ctx context.Context, s session, j *job, k burstKey, except string) (burst int64, err error) {
	err = t.query(ctx, s, "supersede", args{"source": k.source, "key": k.key, "type": k.typ, "uid": except}, func(row *sql.Rows) error {
		var uid string
		var began, attempt, quiet int64
		if err := row.Scan(&uid, &began, &attempt, &quiet); err != nil {
			return err
		}
		if quiet > 0 && attempt == 0 && (burst == 0 || began < burst) {
			burst = began
		}
		j.superseded = append(j.superseded, uid)
		return nil
	})
	return burst, err
}
