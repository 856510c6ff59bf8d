package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/hookhouse/hookhouse/examples/dockerhub-deploy/target"
	"github.com/hookhouse/hookhouse/webhook"
)

// giveUpAfter is how long a delivery waits for the registry or the engine.
const giveUpAfter = 7 * 24 * time.Hour

// A waits decides how long to wait for what is unavailable.
type waits struct{ interval time.Duration }

// settle puts the delivery of ctx back without counting the attempt, and returns the
// error for the worker.
func (w waits) settle(ctx context.Context, inbox *store, u *target.Unavailable, err error) error {
	claim, ok := webhook.ClaimFromContext(ctx)
	if !ok {
		return err
	}
	if age := time.Since(claim.Delivery.ReceivedAt); age > giveUpAfter {
		return webhook.Permanent(fmt.Errorf("given up after %s: %w", age.Round(time.Hour), err))
	}
	if errors.Is(context.Cause(ctx), webhook.ErrShutdown) {
		return err
	}
	delay := u.Wait(w.interval, time.Since(claim.Delivery.ReceivedAt))
	ctx = context.WithoutCancel(ctx)
	return errors.Join(webhook.RetryAfter(delay, err), inbox.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		return inbox.SettleTx(ctx, tx, claim, webhook.Outcome{State: webhook.Waiting, Reason: err.Error(), Delay: delay, Uncounted: true})
	}))
}
