package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/hookhouse/hookhouse/examples/dockerhub-deploy/notice"
	"github.com/hookhouse/hookhouse/examples/dockerhub-deploy/target"
	"github.com/hookhouse/hookhouse/webhook"
)

// result returns the outcome of an attempt that took some time and ended with err.
func (j job) result(changed bool, took time.Duration, err error) notice.Result {
	r := notice.Result{Target: j.rule.Target, Rule: j.rule.Text, Image: j.image(), Digest: j.digest, Seconds: int(took.Seconds())}
	if err != nil {
		r.Reason = err.Error()
	}
	switch {
	case err == nil && changed:
		r.Outcome = notice.Deployed
	case err == nil || errors.Is(err, target.ErrNewerRunning):
		r.Outcome = notice.Unchanged
	case errors.Is(err, target.ErrRejected):
		r.Outcome = notice.RolledBack
	default:
		r.Outcome = notice.Failed
	}
	return r
}

// report logs and counts a result.
func (d *deployer) report(r notice.Result) {
	log := d.log.With("target", r.Target, "image", r.Image, "digest", r.Digest, "seconds", r.Seconds)
	switch {
	case r.Outcome == notice.RolledBack:
		log.Error(r.Outcome, "reason", r.Reason)
	case r.Outcome == notice.Failed:
		log.Warn(r.Outcome, "reason", r.Reason)
	case r.Reason != "":
		log.Info(r.Outcome, "reason", r.Reason)
	default:
		log.Info(r.Outcome)
	}
	d.onResult(r.Target, r.Outcome)
}

// putNotices stores a notice of a result for each channel, once for each order and outcome.
func (d *deployer) putNotices(ctx context.Context, tx *sql.Tx, order string, r notice.Result) error {
	for _, n := range d.notify.Deliveries(order, r) {
		if err := d.inbox.PutTx(ctx, tx, n); err != nil && !webhook.IsDuplicate(err) {
			return err
		}
	}
	return nil
}

// sendNotice sends one notice.
func (d *deployer) sendNotice(ctx context.Context, e *webhook.Event[notice.Notice]) error {
	err := d.notify.Send(ctx, e.Payload)
	switch {
	case errors.Is(err, notice.ErrNoChannel):
		return fmt.Errorf("%w: %w", webhook.ErrIgnored, err)
	case err != nil:
		return fmt.Errorf("-notify: %w", err)
	}
	return nil
}

// newChannels returns the channels of the flags, or of the variables NOTIFY_URL and
// SLACK_WEBHOOK_URL. Each has the name of its flag.
func newChannels(o options, getenv func(string) string) (all notice.Channels, err error) {
	for _, c := range []struct {
		flag, value, variable string
		make                  func(string, webhook.Secret) (notice.Channel, error)
	}{
		{"notify", o.notifyURL, "NOTIFY_URL", notice.NewURL},
		{"notify-slack", o.notifySlack, "SLACK_WEBHOOK_URL", notice.NewSlack},
	} {
		to := webhook.NewSecret(c.value)
		if c.value == "" {
			if to, err = readSecret(getenv, c.variable); err != nil {
				return nil, err
			}
		}
		if to.IsZero() {
			continue
		}
		channel, err := c.make(c.flag, to)
		if err != nil {
			return nil, fmt.Errorf("-%s: %w", c.flag, err)
		}
		all = append(all, channel)
	}
	if o.notifyExec != "" {
		program, err := o.program("-notify-exec", o.notifyExec, target.ProgramEnvironment)
		if err != nil {
			return nil, err
		}
		all = append(all, notice.NewExec("notify-exec", program))
	}
	return all, nil
}
