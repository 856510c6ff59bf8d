package model

import (
	"context"
	"database/sql"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// newInbox returns an inbox that sweeps what is finished at once.
func newInbox(db *sql.DB, d *sqlinbox.Dialect) *sqlinbox.Inbox {
	in := sqlinbox.New(db, d)
	in.Retention, in.DeadRetention = time.Microsecond, time.Microsecond
	in.Logger = slog.New(slog.DiscardHandler)
	return in
}

// underClaim runs work on the context of a callback that has c.
func underClaim(ctx context.Context, c webhook.Claim, work func(ctx context.Context)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	w := webhook.NewWorker(&oneClaim{claim: c}, webhook.HandlerFunc(func(ctx context.Context, _ *webhook.Delivery) error {
		defer cancel()
		work(ctx)
		return nil
	}))
	w.Logger = slog.New(slog.DiscardHandler)
	return w.Run(ctx)
}

// oneClaim is an inbox that hands out one claim and does not keep anything.
type oneClaim struct {
	webhook.Inbox
	claim webhook.Claim
	taken atomic.Bool
}

func (o *oneClaim) Claim(context.Context, webhook.ClaimOptions) ([]webhook.Claim, error) {
	if o.taken.Swap(true) {
		return nil, nil
	}
	return []webhook.Claim{o.claim}, nil
}

func (o *oneClaim) Begin(_ context.Context, c webhook.Claim) (webhook.Claim, error) { return c, nil }

func (o *oneClaim) Extend(context.Context, webhook.Claim, time.Duration) error { return nil }

func (o *oneClaim) Settle(_ context.Context, _ webhook.Claim, out webhook.Outcome) (webhook.State, error) {
	return out.State, nil
}
