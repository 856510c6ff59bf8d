package sqlinbox

import (
	"cmp"
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"time"

	"github.com/hookhouse/hookhouse/internal/limit"
	"github.com/hookhouse/hookhouse/webhook"
)

const (
	// sweepLimit and sweepBytes bound what one transaction deletes.
	sweepLimit = 500
	sweepBytes = 8 << 20
	// dedupKeyRounds bounds the transactions that delete dedup keys in one Sweep, and
	// idleRounds those of them that delete few: where all dedup keys are looked at in
	// turn, most of them are not old.
	dedupKeyRounds = 200
	idleRounds     = 40
	// warnEvery is the time between two warnings of dead letters that are deleted.
	warnEvery = time.Minute
)

// Sweep deletes deliveries that were finished longer ago than Retention, or than
// DeadRetention if they are dead, oldest first, and dedup keys that are older than
// Window; see [webhook.Sweeper]. The time is the server's on PostgreSQL and this
// process's on SQLite. A [webhook.Worker] calls Sweep by itself. The dedup keys of
// deleted deliveries remain, with the last state. If no delivery was deleted, Sweep looks
// for ordering keys that are stuck; see [Observer.Repaired].
func (in *Inbox) Sweep(ctx context.Context) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	retention, deadRetention := in.Kept()
	n, err := in.sweepOld(ctx, retention, false)
	if err == nil {
		var dead int
		dead, err = in.sweepOld(ctx, deadRetention, true)
		n += dead
	}
	in.Observer.swept(ctx, n)
	if err == nil {
		err = in.sweepDedupKeys(ctx)
	}
	if err == nil && n == 0 {
		err = in.repair(ctx, sweepPages)
	}
	return n, err
}

// Kept returns how long deliveries are kept after they are finished, and how long dead ones
// are: Retention and DeadRetention, or what zero means. A negative time means that they are
// never deleted.
func (in *Inbox) Kept() (finished, dead time.Duration) {
	return cmp.Or(in.Retention, limit.Retention), cmp.Or(in.DeadRetention, limit.DeadRetention)
}

// sweepOld deletes some of what was finished before age: dead ones, or others.
func (in *Inbox) sweepOld(ctx context.Context, age time.Duration, dead bool) (n int, err error) {
	if age < 0 {
		return 0, nil
	}
	a := args{"age": microseconds(age), "dead": number(dead), "n": sweepLimit, "bytes": sweepBytes}
	if dead {
		if err := in.warnOfDying(ctx, age, a); err != nil {
			return 0, err
		}
	}
	err = in.engine.tx(ctx, func(ctx context.Context, s session) (err error) {
		ids, err := in.sweep(ctx, s, "finished", a)
		n = len(ids)
		return err
	})
	if err != nil {
		return 0, err
	}
	return n, nil
}

// warnOfDying logs how many dead letters are about to be deleted, and of which types.
func (in *Inbox) warnOfDying(ctx context.Context, age time.Duration, a args) error {
	now := time.Now().Unix()
	last := in.warnedAt.Load()
	if last != 0 && now-last < int64(warnEvery/time.Second) && now >= last {
		return nil
	}
	total, types := 0, make(map[string]int)
	err := in.query(ctx, in.db, "expiring_dead", a, func(row *sql.Rows) error {
		var typ string
		var n int
		err := row.Scan(&typ, &n)
		types[typ] = n
		total += n
		return err
	})
	if err != nil || total == 0 {
		return err
	}
	in.warnedAt.Store(now)
	in.logger().Warn("dead letters are deleted: nobody replayed them in time", "count", total, "types", types, "older_than", age)
	return nil
}

// sweepDedupKeys deletes dedup keys that are older than the window, in transactions
// that look at sweepLimit dedup keys, or delete as many. A delivery has several dedup
// keys, so it deletes far more of them than deliveries. Where they are not found by
// their time, it goes through all of them in turn, and goes on in the next Sweep. The
// first one of a process begins anywhere: processes that end before they have gone
// through all leave none out.
func (in *Inbox) sweepDedupKeys(ctx context.Context) error {
	again := len(in.sweptDedupKeys()) > 0 // after the end, from the beginning
	idle := 0
	for n := 0; n < dedupKeyRounds && idle < idleRounds; n++ {
		full, paged := false, false
		err := in.engine.tx(ctx, func(ctx context.Context, s session) error {
			after := in.sweptDedupKeys()
			var end []byte
			var n int
			page := args{"after": after, "n": sweepLimit}
			err := in.query(ctx, s, "dedup_key_page", page, func(row *sql.Rows) error {
				paged = true
				return row.Scan(&end, &n)
			})
			if err != nil {
				return err
			}
			a := args{"after": after, "end": end, "n": sweepLimit, "window": in.window()}
			if _, err := in.exec(ctx, s, "restamp_dedup_keys", a); err != nil {
				return err
			}
			deleted, err := in.exec(ctx, s, "delete_dedup_keys", a)
			if full = n >= sweepLimit || deleted >= sweepLimit; !full {
				end = []byte{} // the beginning
			}
			if deleted < sweepLimit/10 {
				idle++
			}
			in.swept.Store(&end)
			return err
		})
		if err != nil || !full && !(paged && again) {
			return err
		}
		again = again && full
	}
	return nil
}

// sweptDedupKeys is where the last look at dedup keys ended.
func (in *Inbox) sweptDedupKeys() []byte {
	if end := in.swept.Load(); end != nil {
		return *end
	}
	anywhere := make([]byte, hashSize)
	_, _ = rand.Read(anywhere) // never fails
	return anywhere
}

// A lastState is what is kept with the n-th of some dedup keys when its delivery is
// deleted.
type lastState struct {
	N        int           `json:"n"`
	ID       int64         `json:"id"` // of the first run
	UID      string        `json:"uid"`
	State    webhook.State `json:"state"`
	SenderID string        `json:"sender_id"`
}

// sweep deletes the deliveries that the named statement picks, and returns their ids.
func (t *tables) sweep(ctx context.Context, s session, name string, a args) ([]int64, error) {
	ids, states, unread := []int64{}, []lastState{}, []lastState{}
	hashes := []byte{}
	err := t.query(ctx, s, name, a, func(row *sql.Rows) error {
		var id int64
		var f lastState
		var source string
		var sealed sql.Null[[]byte]
		if err := row.Scan(&id, &f.ID, &f.UID, &source, &f.State, &f.SenderID, &sealed); err != nil {
			return err
		}
		ids = append(ids, id)
		e, err := openEnvelope(sealed.V)
		if err != nil {
			unread = append(unread, f)
		}
		for _, k := range e.DedupKeys {
			f.N = len(states)
			hashes, states = appendHash(hashes, source, k), append(states, f)
		}
		return nil
	})
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	text, _ := json.Marshal(states) // strings only: cannot fail
	if _, err := t.exec(ctx, s, "keep_last_state", args{"hashes": hashes, "states": string(text)}); err != nil {
		return nil, err
	}
	if len(unread) > 0 {
		text, _ := json.Marshal(unread) // strings only: cannot fail
		if _, err := t.exec(ctx, s, "keep_unread_state", args{"states": string(text)}); err != nil {
			return nil, err
		}
	}
	text, _ = json.Marshal(ids)
	for _, name := range []string{"delete_bodies", "delete_replays", "delete_attempts", "delete_deliveries"} {
		if _, err := t.exec(ctx, s, name, args{"ids": string(text)}); err != nil {
			return nil, err
		}
	}
	return ids, nil
}
