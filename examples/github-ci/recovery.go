package main

import (
	"context"
	"errors"

	"github.com/hookhouse/hookhouse/webhook"
)

// recover puts in order what the process before this one left when it was
// killed. Nothing of its builds' commands is left: the folder is locked. They run
// again when their leases are over. They are not released before that: the inbox
// must see that their runs were lost. A build that kills this program then runs
// alone, and after a bounded number of attempts it is dead.
func (b *builder) recover(ctx context.Context) error {
	if err := b.data.clean(); err != nil {
		return err
	}
	cut, err := b.store.cutOff(ctx)
	if err != nil {
		return err
	}
	for _, one := range cut {
		log, err := b.logs.open(one.ID)
		if err != nil {
			return err
		}
		log.say("github-ci was killed during this run: it will run again")
		log.close()
		if err := b.store.pause(ctx, &one, "github-ci was killed during this run"); err != nil {
			return err
		}
		r, err := b.store.Get(ctx, one.ID)
		switch {
		case err == nil && r.State.Final():
			err = b.store.abandon(ctx, one.ID, "cannot run again: its delivery is "+string(r.State), b.report)
		case errors.Is(err, webhook.ErrNotFound):
			err = b.store.abandon(ctx, one.ID, "cannot run again: its delivery is gone", b.report)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// settled ends builds that the worker gave up.
func (b *builder) settled(c webhook.Claim, o webhook.Outcome) {
	if o.State != webhook.Dead {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), settleTime)
	defer cancel()
	if err := b.store.abandon(ctx, c.Delivery.UID, "given up: "+o.Reason, b.report); err != nil {
		b.log.Error("build could not be ended", "build", c.Delivery.UID, "reason", err)
	}
}
