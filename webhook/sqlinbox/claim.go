package sqlinbox

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"github.com/hookhouse/hookhouse/internal/limit"
	"github.com/hookhouse/hookhouse/webhook"
)

const (
	// claimLimit is the largest number that one statement claims; the text of
	// PostgreSQL's has it too.
	claimLimit = 256
)

// Claim claims deliveries that are due; see [webhook.Queue]. A stored row that cannot
// be read is settled as dead with the reason, and another one is claimed in its place.
func (in *Inbox) Claim(ctx context.Context, o webhook.ClaimOptions) ([]webhook.Claim, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	in.addAsked(o.Types)
	if o.Types != nil && len(o.Types) == 0 {
		return nil, nil
	}
	want := max(o.N, 1)
	if o.MaxBytes <= 0 {
		o.MaxBytes = limit.ClaimBytes
	}
	o.Except = slices.Clip(o.Except) // the caller's
	var claims []webhook.Claim
	looked := false // for superseded claims
	for len(claims) < want && o.MaxBytes > 0 {
		n := min(want-len(claims), claimLimit)
		rows, err := in.claim(ctx, o, n, len(claims) == 0)
		if err != nil {
			return claims, unlessAny(claims, err)
		}
		var corrupt []claimedRow
		for _, row := range rows {
			o.MaxBytes -= row.size
			if row.err != nil {
				corrupt = append(corrupt, row)
				continue
			}
			claims = append(claims, row.claim)
			o.Except = append(o.Except, row.claim.Delivery.UID) // should its lease end meanwhile
		}
		for _, row := range corrupt {
			if err := in.settleCorrupt(ctx, row.claim, row.err); err != nil {
				return claims, err
			}
		}
		if len(corrupt) > 0 || len(rows) == n {
			continue
		}
		if looked {
			break
		}
		looked = true
		if ended, err := in.endSuperseded(ctx, o); err != nil {
			return claims, unlessAny(claims, err)
		} else if ended == 0 {
			break
		}
	}
	if !looked && time.Since(time.UnixMicro(in.supersededAt.Load())) > supersededEvery {
		_, err := in.endSuperseded(ctx, o)
		return claims, unlessAny(claims, err)
	}
	return claims, nil
}

// unlessAny returns err if there are no claims. If there are, the caller gets them,
// and the next call meets the failure again.
func unlessAny(claims []webhook.Claim, err error) error {
	if len(claims) > 0 {
		return nil
	}
	return err
}

// A claimedRow is a claim as stored; err says why it cannot be read.
type claimedRow struct {
	id, due, size int64 // the size of what came with the claim
	replayed      int
	claim         webhook.Claim
	lost          bool // the claim before was lost by this one, and addLost must keep it
	err           error
}

// claim is one statement of Claim: up to n, the first of them whatever its size
// where first is set.
func (in *Inbox) claim(ctx context.Context, o webhook.ClaimOptions, n int, first bool) ([]claimedRow, error) {
	lease := o.Lease
	if lease <= 0 {
		lease = limit.Lease
	}
	var taken []claimedRow
	by := claimedBy(o.By)
	work := func(ctx context.Context, s session) error {
		taken = nil
		now := time.Now().UnixMicro()
		a := args{
			"any": number(o.Types == nil), "types": texts(o.Types), "except": texts(o.Except), "n": n,
			"lease": microseconds(lease), "bytes": o.MaxBytes, "first": number(first), "by": by, "now": now,
		}
		err := in.query(ctx, s, "claim", a, func(row *sql.Rows) error {
			r, err := scanClaim(row)
			taken = append(taken, r)
			return err
		})
		for _, r := range taken {
			if r.lost && err == nil {
				err = in.addLost(ctx, s, endedClaim{r.claim.Delivery.UID, r.claim.Fence}, by, now)
			}
		}
		return err
	}
	if err := in.engine.stmt(ctx, work); err != nil {
		return nil, err
	}
	slices.SortFunc(taken, func(a, b claimedRow) int {
		return cmp.Or(cmp.Compare(a.replayed, b.replayed), cmp.Compare(a.due, b.due), cmp.Compare(a.id, b.id))
	})
	return taken, nil
}

func scanClaim(row *sql.Rows) (claimedRow, error) {
	var r claimedRow
	var lost int
	var expires, received, quiet, maxWait int64
	var sealed, body sql.Null[[]byte]
	d := new(webhook.Delivery)
	c := &r.claim
	c.Delivery = d
	err := row.Scan(&r.id, &r.replayed, &r.due, &c.Attempt, &lost, &c.Crashes, &c.Reason, &c.Fence, &expires, &r.lost,
		&d.UID, &d.Source, &d.ID, &d.Type, &d.OrderingKey, &d.KeyLabel, &received, &quiet, &maxWait, &r.size, &sealed, &body)
	if err != nil {
		return r, err
	}
	c.Expires = time.UnixMicro(expires)
	d.ReceivedAt = time.UnixMicro(received)
	d.Coalesce = webhook.Coalesce{Quiet: time.Duration(quiet) * time.Microsecond, Max: time.Duration(maxWait) * time.Microsecond}
	if c.Suspect = lost >= suspectAfter; c.Suspect {
		c.Attempt++ // by Begin
		r.size = 0
	} else {
		r.err = open(d, sealed, body)
	}
	return r, nil
}

// settleCorrupt settles a claim as dead, since its row cannot be read.
func (in *Inbox) settleCorrupt(ctx context.Context, c webhook.Claim, why error) error {
	_, err := in.Settle(ctx, c, webhook.Outcome{State: webhook.Dead, Reason: "stored row cannot be read: " + why.Error()})
	if errors.Is(err, webhook.ErrClaimLost) {
		return nil
	}
	return err
}

// addAsked remembers the types that a claim asks for; see [webhook.Stats.Unhandled].
func (in *Inbox) addAsked(types []string) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if types == nil {
		in.anyType = true
	}
	for _, t := range types {
		in.asked[t] = true
	}
}
