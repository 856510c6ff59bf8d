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

// newInbox returns an inbox whose Sweep deletes everything that is finished.
func newInbox(db *sql.DB, d *sqlinbox.Dialect) *sqlinbox.Inbox {
	in := sqlinbox.New(db, d)
	in.Retention, in.DeadRetention = time.Microsecond, time.Microsecond
	in.Logger = slog.New(slog.DiscardHandler)
	return in
}

// inCallback runs work with the context of a callback for c.
func inCallback(ctx context.Context, c webhook.Claim, work func(ctx context.Context)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	w := webhook.NewWorker(&singleClaimInbox{claim: c}, webhook.HandlerFunc(func(ctx context.Context, _ *webhook.Delivery) error {
		defer cancel()
		work(ctx)
		return nil
	}))
	w.Logger = slog.New(slog.DiscardHandler)
	return w.Run(ctx)
}

// A singleClaimInbox returns one claim and stores nothing.
type singleClaimInbox struct {
	webhook.Inbox
	claim webhook.Claim
	taken atomic.Bool
}

func (o *singleClaimInbox) Claim(context.Context, webhook.ClaimOptions) ([]webhook.Claim, error) {
	if o.taken.Swap(true) {
		return nil, nil
	}
	return []webhook.Claim{o.claim}, nil
}

func (o *singleClaimInbox) Begin(_ context.Context, c webhook.Claim) (webhook.Claim, error) {
	return c, nil
}

func (o *singleClaimInbox) Extend(context.Context, webhook.Claim, time.Duration) error { return nil }

func (o *singleClaimInbox) Settle(_ context.Context, _ webhook.Claim, out webhook.Outcome) (webhook.State, error) {
	return out.State, nil
}
