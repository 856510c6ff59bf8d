package sqlinbox

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

const (
	defaultLease = 30 * time.Second
	// claimLimit is what one statement claims at most; PostgreSQL's says it again.
	claimLimit = 256
)

// Claim takes what is due; see [webhook.Inbox]. A stored row that cannot be
// read is settled as dead with the reason, and another taken in its place.
func (in *Inbox) Claim(ctx context.Context, o webhook.ClaimOptions) ([]webhook.Claim, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	in.ask(o.Types)
	want := max(o.N, 1)
	var claims []webhook.Claim
	for len(claims) < want {
		n := min(want-len(claims), claimLimit)
		rows, err := in.claim(ctx, o, n)
		if err != nil {
			if len(claims) > 0 {
				return claims, nil // they are ours; the failure will be back
			}
			return nil, err
		}
		var unread []claimedRow
		for _, row := range rows {
			if row.damage == nil {
				claims = append(claims, row.claim)
			} else {
				unread = append(unread, row)
			}
		}
		for _, row := range unread {
			if err := in.bury(ctx, row); err != nil {
				return claims, err
			}
		}
		if len(unread) == 0 && len(rows) < n {
			break
		}
	}
	return claims, nil
}

// A claimedRow is a claim as stored. Damage tells why it cannot be read.
type claimedRow struct {
	id, due int64
	claim   webhook.Claim
	damage  error
}

func (in *Inbox) claim(ctx context.Context, o webhook.ClaimOptions, n int) ([]claimedRow, error) {
	if o.Types != nil && len(o.Types) == 0 {
		return nil, nil
	}
	lease := o.Lease
	if lease <= 0 {
		lease = defaultLease
	}
	var taken []claimedRow
	work := func(ctx context.Context, s session) error {
		taken = nil
		types, err := in.claimable(ctx, s, o.Types)
		if err != nil || types == "" {
			return err
		}
		return in.query(ctx, s, "claim", args{"types": types, "n": n, "lease": microseconds(lease)}, func(row *sql.Rows) error {
			r, err := scanClaim(row)
			taken = append(taken, r)
			return err
		})
	}
	if err := in.claimIn(ctx, work); err != nil {
		return nil, err
	}
	slices.SortFunc(taken, func(a, b claimedRow) int {
		return cmp.Or(cmp.Compare(a.due, b.due), cmp.Compare(a.id, b.id))
	})
	return taken, nil
}

// claimIn runs the look-ups and the one statement that claims. Where many
// write, they need no transaction around them.
func (in *Inbox) claimIn(ctx context.Context, work func(ctx context.Context, s session) error) error {
	if in.dialect.pinned {
		return in.transact(ctx, work)
	}
	if err := in.writes(ctx); err != nil {
		return err
	}
	return work(ctx, in.db)
}

// claimable returns the types to claim as JSON, empty if there are none, after
// it has ended what a newer delivery of a burst overtook.
func (in *Inbox) claimable(ctx context.Context, s session, types []string) (string, error) {
	if types == nil {
		err := in.query(ctx, s, "types", args{}, func(row *sql.Rows) error {
			var t string
			err := row.Scan(&t)
			types = append(types, t)
			return err
		})
		if err != nil || types == nil {
			return "", err
		}
	}
	text, err := json.Marshal(slices.Compact(slices.Sorted(slices.Values(types))))
	if err != nil {
		return "", err
	}
	type let struct {
		uid string
		keyed
	}
	var overtaken []let
	err = in.query(ctx, s, "overtaken", args{"types": string(text)}, func(row *sql.Rows) error {
		var l let
		err := row.Scan(&l.uid, &l.source, &l.key)
		overtaken = append(overtaken, l)
		return err
	})
	if err != nil || len(overtaken) == 0 {
		return string(text), err
	}
	end := func(ctx context.Context, s session) error {
		for _, l := range overtaken {
			if n, err := in.exec(ctx, s, "overtake", args{"uid": l.uid}); err != nil {
				return err
			} else if n > 0 {
				if err := in.promote(ctx, s, l.keyed); err != nil {
					return err
				}
			}
		}
		return nil
	}
	if in.dialect.pinned {
		return string(text), end(ctx, s)
	}
	return string(text), in.transact(ctx, end)
}

func scanClaim(row *sql.Rows) (claimedRow, error) {
	var r claimedRow
	var expires, received, quiet, most int64
	var sealed, body sql.Null[[]byte]
	d := new(webhook.Delivery)
	r.claim.Delivery = d
	err := row.Scan(&r.id, &r.due, &r.claim.Attempt, &r.claim.Fence, &expires,
		&d.UID, &d.Source, &d.ID, &d.Type, &d.Key, &d.KeyLabel, &received, &quiet, &most, &sealed, &body)
	if err != nil {
		return r, err
	}
	r.claim.Expires = time.UnixMicro(expires)
	d.ReceivedAt = time.UnixMicro(received)
	d.Coalesce = webhook.Coalesce{Quiet: time.Duration(quiet) * time.Microsecond, Max: time.Duration(most) * time.Microsecond}
	r.damage = open(d, sealed, body)
	return r, nil
}

// bury settles a row that cannot be read.
func (in *Inbox) bury(ctx context.Context, row claimedRow) error {
	err := in.Settle(ctx, row.claim, webhook.Outcome{State: webhook.Dead, Reason: "stored row cannot be read: " + row.damage.Error()})
	if errors.Is(err, webhook.ErrClaimLost) {
		return nil
	}
	return err
}

// ask remembers what claims asked for; see [Stats.Untaken].
func (in *Inbox) ask(types []string) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if types == nil {
		in.anyType = true
	}
	for _, t := range types {
		in.asked[t] = true
	}
}

// Extend renews a lease; see [webhook.Inbox]. It does nothing, and succeeds, on
// a claim that [Inbox.SettleTx] has settled.
func (in *Inbox) Extend(ctx context.Context, c webhook.Claim, lease time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if c.Delivery == nil {
		return webhook.ErrClaimLost
	}
	a := args{"uid": c.Delivery.UID, "fence": c.Fence, "lease": microseconds(lease)}
	var held bool
	err := in.claimIn(ctx, func(ctx context.Context, s session) error {
		n, err := in.exec(ctx, s, "extend", a)
		if held = n > 0; err == nil && !held {
			held, err = in.settledByTx(ctx, s, c)
		}
		return err
	})
	if err == nil && !held {
		err = lost(c)
	}
	return err
}

func lost(c webhook.Claim) error { return fmt.Errorf("%w: %s", webhook.ErrClaimLost, c.Delivery.UID) }

// scanOne scans a row of one number.
func scanOne(n *int) func(row *sql.Rows) error {
	return func(row *sql.Rows) error { return row.Scan(n) }
}
