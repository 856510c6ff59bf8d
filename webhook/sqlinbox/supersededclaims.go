package sqlinbox

import (
	"context"
	"database/sql"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// supersededEvery is how often a Claim looks for superseded claims, at least. One
// that finds less than it asks for always looks.
const supersededEvery = time.Second

// endSuperseded ends claims whose leases have ended while a newer delivery of their
// burst waits, no more than a hundred, and returns how many. The newer ones can be
// claimed then. It leaves out what another transaction holds.
func (in *Inbox) endSuperseded(ctx context.Context, o webhook.ClaimOptions) (ended int, err error) {
	type row struct {
		endedClaim
		orderKey
	}
	var superseded []row
	a := args{"any": number(o.Types == nil), "types": texts(o.Types), "except": texts(o.Except)}
	err = in.engine.stmt(ctx, func(ctx context.Context, s session) error {
		superseded = nil
		return in.query(ctx, s, "superseded_claims", a, func(rows *sql.Rows) error {
			var r row
			err := rows.Scan(&r.uid, &r.fence, &r.source, &r.key)
			superseded = append(superseded, r)
			return err
		})
	})
	if err != nil {
		return 0, err
	}
	in.supersededAt.Store(time.Now().UnixMicro())
	if len(superseded) == 0 {
		return 0, nil
	}
	err = in.engine.tx(ctx, func(ctx context.Context, s session) error {
		ended = 0
		for _, r := range superseded {
			n, err := in.exec(ctx, s, "supersede_claim", args{"uid": r.uid, "fence": r.fence})
			if err == nil && n > 0 {
				ended++
				err = in.addSuperseded(ctx, s, r.endedClaim)
			}
			if err == nil && n > 0 {
				err = in.promote(ctx, s, r.orderKey)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	return ended, err
}
