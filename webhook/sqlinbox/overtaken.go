package sqlinbox

import (
	"context"
	"database/sql"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// overtakenEvery is how often a Claim looks for what is overtaken, at least. One
// that finds less than it asks for always looks.
const overtakenEvery = time.Second

// endOvertaken supersedes claims whose leases have ended while a newer delivery of
// their burst waits, a hundred at most, and returns how many. The newer ones can be
// claimed then. It leaves out what another transaction holds.
func (in *Inbox) endOvertaken(ctx context.Context, o webhook.ClaimOptions) (ended int, err error) {
	type row struct {
		endedClaim
		keyed
	}
	var overtaken []row
	a := args{"any": number(o.Types == nil), "types": texts(o.Types), "except": texts(o.Except)}
	err = in.claimIn(ctx, func(ctx context.Context, s session) error {
		overtaken = nil
		return in.query(ctx, s, "superseded_claims", a, func(rows *sql.Rows) error {
			var r row
			err := rows.Scan(&r.uid, &r.fence, &r.source, &r.key)
			overtaken = append(overtaken, r)
			return err
		})
	})
	if err != nil {
		return 0, err
	}
	in.overtakenAt.Store(time.Now().UnixMicro())
	if len(overtaken) == 0 {
		return 0, nil
	}
	err = in.transact(ctx, func(ctx context.Context, s session) error {
		ended = 0
		for _, r := range overtaken {
			n, err := in.exec(ctx, s, "supersede_claim", args{"uid": r.uid, "fence": r.fence})
			if err == nil && n > 0 {
				ended++
				err = in.addSuperseded(ctx, s, r.endedClaim)
			}
			if err == nil && n > 0 {
				err = in.promote(ctx, s, r.keyed)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	return ended, err
}
