package fault_test

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// workOff is a worker: it claims, extends and settles until nothing is
// unfinished. A claim whose answer got lost is claimed again when its lease has
// ended, which it does here as soon as nothing else is left.
func (r *rig) workOff() {
	for range 100 {
		var claims []webhook.Claim
		_ = r.insist("claim", func(ctx context.Context) (err error) {
			claims, err = r.inbox.Claim(ctx, webhook.ClaimOptions{N: 3, Lease: time.Hour})
			return err
		})
		for _, c := range claims {
			r.work(c)
		}
		if len(claims) > 0 {
			continue
		}
		if r.count("hookhouse_deliveries WHERE finished_at IS NULL") == 0 {
			return
		}
		if _, err := r.eye.Exec("UPDATE hookhouse_deliveries SET lease_expires_at = 0 WHERE state = 'claimed'"); err != nil {
			r.complain("ending leases: %v", err)
		}
	}
	r.complain("%d are never worked off: %s", r.count("hookhouse_deliveries WHERE finished_at IS NULL"), r.list("finished_at IS NULL"))
}

// work handles one claim by what its message is for.
func (r *rig) work(c webhook.Claim) {
	m := r.messages[c.Delivery.UID]
	if m == nil {
		r.complain("%s was never sent", c.Delivery.UID)
		return
	}
	if want := "body of " + m.name; string(c.Delivery.Body) != want || c.Delivery.Header.Get("X-Name") != m.name {
		r.complain("%s has the body %q and the header %v", m.name, c.Delivery.Body, c.Delivery.Header)
	}
	if c.Delivery.OrderingKey != "" && r.count("hookhouse_deliveries WHERE ordering_key = '"+c.Delivery.OrderingKey+"' AND state IN ('waiting', 'claimed')") > 1 {
		r.complain("%s is not alone at the head of its key", m.name)
	}
	err := r.insist("extend", func(ctx context.Context) error { return r.inbox.Extend(ctx, c, time.Hour) }, webhook.ErrClaimLost)
	if err != nil {
		return
	}
	o := webhook.Outcome{State: webhook.Done}
	switch {
	case m.end == "again" && m.runs == 0:
		o = webhook.Outcome{State: webhook.Waiting, Reason: "not yet"}
	case m.end == "dies":
		o = webhook.Outcome{State: webhook.Dead, Reason: "poison"}
	case m.end == "effect":
		if r.effect(c, o) != nil {
			return
		}
	}
	if r.insist("settle", func(ctx context.Context) error { _, err := r.inbox.Settle(ctx, c, o); return err }, webhook.ErrClaimLost) == nil {
		m.runs++
	}
}

// effect is a callback that settles with a row of its own. What the claim says
// is what counts: a commit whose answer got lost is not repeated.
func (r *rig) effect(c webhook.Claim, o webhook.Outcome) error {
	err := r.inTx("settle in a transaction", func(ctx context.Context, tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "INSERT INTO effects (uid) VALUES ('"+c.Delivery.UID+"')"); err != nil {
			return err
		}
		return r.inbox.SettleTx(ctx, tx, c, o)
	})
	if errors.Is(err, webhook.ErrClaimLost) {
		return nil // it is settled, or another's: Settle tells
	}
	return err
}

// orderTx stores a message in a transaction with a row of the program.
func (r *rig) orderTx(m *message) {
	d := r.mint(m)
	err := r.inTx("put in a transaction", func(ctx context.Context, tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "INSERT INTO orders (name) VALUES ('"+m.name+"')"); err != nil {
			return err
		}
		return r.inbox.PutTx(ctx, tx, d)
	})
	if err == nil || errors.Is(err, webhook.ErrDuplicate) {
		r.acknowledge(m, d.UID, err)
	}
}
