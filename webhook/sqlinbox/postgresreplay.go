package sqlinbox

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"

	"github.com/hookhouse/hookhouse/internal/statement"
)

// replay runs a batch again by one statement, which holds keys only while it runs,
// and alone each delivery that takes more. What is locked is tried again for a while.
func (e *postgresEngine) replay(ctx context.Context, r *replay, uids []string) error {
	var waiter *keyWaiter // from the first that is locked on
	var alone []string
	for len(uids)+len(alone) > 0 {
		if len(uids) > 0 {
			byResult, err := e.replayTogether(ctx, r, uids)
			if err != nil {
				return err
			}
			alone = append(alone, byResult["alone"]...)
			r.done += len(byResult["done"])
			uids = byResult["again"]
		}
		left := alone[:0]
		for _, uid := range alone {
			ok, err := e.replayAlone(ctx, r, uid)
			switch {
			case errors.Is(err, errLeftOut):
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
		if waiter == nil {
			var end func()
			waiter, end = e.lockedKeys.wait(ctx)
			defer end()
		}
		if err := waiter.pause(); err != nil {
			if ctx.Err() == nil && !errors.Is(err, ErrClosed) {
				break
			}
			return err
		}
	}
	r.locked += len(uids) + len(alone)
	return nil
}

// replayTogether returns the UIDs of a batch by result: "done", "again" if the key is
// locked, and "alone".
func (e *postgresEngine) replayTogether(ctx context.Context, r *replay, uids []string) (map[string][]string, error) {
	if err := e.ready(ctx); err != nil {
		return nil, err
	}
	ids := make([]int64, len(uids))
	for i, uid := range uids {
		ids[i] = r.ids[uid]
	}
	text, _ := json.Marshal(uids) // strings only: cannot fail
	a := args{"uids": string(text), "ids": idList(ids), "who": r.who, "why": r.why, "done": r.done, "every": microseconds(r.every), "wait": lockTimeout(batchWait)}
	var byResult map[string][]string
	err := statement.Retry(ctx, isConflict, func() error {
		byResult = make(map[string][]string)
		return e.tryStmt(ctx, func(ctx context.Context, s session) error {
			return e.query(ctx, s, "replay", a, func(row *sql.Rows) error {
				var uid, result string
				err := row.Scan(&uid, &result)
				byResult[result] = append(byResult[result], uid)
				return err
			})
		})
	})
	if isConflict(err) || statement.IsLockTimeout(err) {
		return map[string][]string{"alone": uids}, nil
	}
	// In the order that was asked for.
	for _, list := range byResult {
		slices.SortFunc(list, func(a, b string) int { return slices.Index(uids, a) - slices.Index(uids, b) })
	}
	return byResult, err
}

// replayAlone replays one delivery in a transaction of its own.
func (e *postgresEngine) replayAlone(ctx context.Context, r *replay, uid string) (ok bool, err error) {
	err = e.tx(ctx, func(ctx context.Context, s session) error {
		ok, err = r.one(ctx, s, uid, r.done)
		return err
	})
	if isConflict(err) || statement.IsLockTimeout(err) {
		err = errLeftOut
	}
	return ok && err == nil, err
}
