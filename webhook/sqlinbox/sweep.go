package sqlinbox

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"
)

// Sweep deletes what was finished before the given time, oldest first, and
// marks older than Window; see [webhook.Sweeper]. A [webhook.Worker] calls it
// by itself. The marks of what it deletes stay, with the last state.
func (in *Inbox) Sweep(ctx context.Context, finishedBefore time.Time, limit int) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	var n int
	err := in.transact(ctx, func(ctx context.Context, s session) (err error) {
		n, err = in.sweep(ctx, s, finishedBefore, limit)
		return err
	})
	if err != nil {
		return 0, err
	}
	in.Observe.swept(n)
	return n, in.sweepMarks(ctx, max(limit, 1))
}

// sweepMarks forgets all marks that are older than the window, in transactions
// of limit marks: a delivery has several, so that they may be more than what was
// swept.
func (in *Inbox) sweepMarks(ctx context.Context, limit int) error {
	for gone := int64(limit); gone >= int64(limit); {
		err := in.transact(ctx, func(ctx context.Context, s session) error {
			a := args{"n": limit, "window": in.window()}
			if _, err := in.exec(ctx, s, "restamp_marks", a); err != nil {
				return err
			}
			var err error
			gone, err = in.exec(ctx, s, "forget_marks", a)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (in *Inbox) sweep(ctx context.Context, s session, before time.Time, limit int) (int, error) {
	type fate struct{ source, mark, uid, state, senderID string }
	ids := []int64{}
	var fates []fate
	err := in.query(ctx, s, "ended", args{"before": before.UnixMicro(), "n": max(limit, 0)}, func(row *sql.Rows) error {
		var id int64
		var f fate
		var sealed sql.Null[[]byte]
		if err := row.Scan(&id, &f.uid, &f.source, &f.state, &f.senderID, &sealed); err != nil {
			return err
		}
		ids = append(ids, id)
		e, _ := openEnvelope(sealed.V) // a damaged one has no marks to tell of
		for _, f.mark = range e.Marks {
			fates = append(fates, f)
		}
		return nil
	})
	if err != nil || len(ids) == 0 {
		return 0, err
	}
	for _, f := range fates {
		a := args{"source": f.source, "mark": f.mark, "uid": f.uid, "state": f.state, "sender_id": f.senderID}
		if _, err := in.exec(ctx, s, "keep_fate", a); err != nil {
			return 0, err
		}
	}
	text, err := json.Marshal(ids)
	if err != nil {
		return 0, err
	}
	for _, name := range []string{"forget_bodies", "forget_replays", "forget"} {
		if _, err := in.exec(ctx, s, name, args{"ids": string(text)}); err != nil {
			return 0, err
		}
	}
	return len(ids), nil
}
