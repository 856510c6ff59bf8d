package sqlinbox

import (
	"context"
	"database/sql"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// attemptsKept is how many attempts of a delivery are kept. The statement
// trim_attempts says it again.
const attemptsKept = 20

// An endedClaim is a claim whose run becomes an attempt.
type endedClaim struct {
	uid   string
	fence int64
}

// addFailed keeps the run of c, which is about to be settled with o, as a failed
// attempt, if it is one. A run that is not counted is none.
func (t *tables) addFailed(ctx context.Context, s session, c webhook.Claim, o webhook.Outcome) error {
	if o.State != webhook.Dead && (o.State != webhook.Waiting || o.Uncounted) {
		return nil
	}
	return t.addAttempt(ctx, s, endedClaim{c.Delivery.UID, c.Fence}, args{
		"state": string(o.State), "lost": 0, "reason": reason(o.Reason), "current": string(webhook.Claimed),
	})
}

// addReleased keeps the run of a claim that is about to be released as lost.
func (t *tables) addReleased(ctx context.Context, s session, c endedClaim) error {
	return t.addAttempt(ctx, s, c, args{
		"state": string(webhook.Waiting), "lost": 1, "reason": "", "current": string(webhook.Claimed),
	})
}

// addSuperseded keeps the run of a claim that was superseded as lost.
func (t *tables) addSuperseded(ctx context.Context, s session, c endedClaim) error {
	return t.addAttempt(ctx, s, c, args{
		"state": string(webhook.Superseded), "lost": 1, "reason": "", "current": string(webhook.Superseded),
	})
}

func (t *tables) addAttempt(ctx context.Context, s session, c endedClaim, a args) error {
	a["uid"], a["fence"] = c.uid, c.fence
	if _, err := t.exec(ctx, s, "insert_attempt", a); err != nil {
		return err
	}
	return t.trimAttempts(ctx, s, c)
}

// addLost keeps the run that the given claim has made lost, unless the statement claim
// has done so.
func (t *tables) addLost(ctx context.Context, s session, c endedClaim, by string, now int64) error {
	a := args{"uid": c.uid, "fence": c.fence, "by": by, "now": now}
	for _, name := range []string{"insert_lost_attempt", "reclaim"} {
		if _, err := t.exec(ctx, s, name, a); err != nil {
			return err
		}
	}
	return t.trimAttempts(ctx, s, c)
}

// trimAttempts keeps the number of attempts bounded. A delivery with a low fence has
// had fewer claims than that.
func (t *tables) trimAttempts(ctx context.Context, s session, c endedClaim) error {
	if c.fence <= attemptsKept {
		return nil
	}
	_, err := t.exec(ctx, s, "trim_attempts", args{"uid": c.uid})
	return err
}

// attempts returns the attempts of a delivery, oldest first.
func (in *Inbox) attempts(ctx context.Context, uid string) ([]webhook.Attempt, error) {
	var list []webhook.Attempt
	err := in.query(ctx, in.db, "attempts", args{"uid": uid}, func(row *sql.Rows) error {
		var at, took int64
		var lost int
		var a webhook.Attempt
		err := row.Scan(&a.Number, &at, &took, &a.State, &lost, &a.Reason, &a.By)
		a.At, a.Took, a.Lost = time.UnixMicro(at), time.Duration(took)*time.Microsecond, lost == 1
		list = append(list, a)
		return err
	})
	return list, err
}
