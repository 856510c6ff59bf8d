package main

import (
	"context"
	"errors"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// recover cleans up after a previous process that was killed. No processes of its
// builds are left, because this process holds the lock of -data. The
// builds run again when their leases expire. They are not released earlier,
// because the inbox must count their runs as lost: after that a build that kills
// this program runs alone, and after a bounded number of attempts it is dead.
func (b *builder) recover(ctx context.Context) error {
	if err := b.dir.RemoveAreas(); err != nil {
		return err
	}
	interrupted, err := b.builds.Interrupted(ctx)
	if err != nil {
		return err
	}
	for _, build := range interrupted {
		log, err := b.logs.Open(build.ID)
		if err != nil {
			return err
		}
		log.Printf("github-ci was killed during this run: it will run again")
		log.Close()
		if err := b.builds.SetWaiting(ctx, &build, "github-ci was killed during this run"); err != nil {
			return err
		}
		r, err := b.inbox.Get(ctx, build.ID)
		switch {
		case err == nil && r.State.Final():
			err = b.builds.SetError(ctx, build.ID, "cannot run again: its delivery is "+string(r.State))
		case errors.Is(err, webhook.ErrNotFound):
			err = b.builds.SetError(ctx, build.ID, "cannot run again: its delivery was deleted")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// settled ends the build of a delivery that has become a dead letter.
func (b *builder) settled(_ context.Context, c webhook.Claim, o webhook.Outcome, _ time.Duration) {
	if o.State != webhook.Dead {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), settleTimeout)
	defer cancel()
	if err := b.builds.SetError(ctx, c.Delivery.UID, "given up: "+o.Reason); err != nil {
		b.log.Error("build not ended", "build", c.Delivery.UID, "reason", err)
	}
}
