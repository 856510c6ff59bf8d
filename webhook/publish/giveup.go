package publish

import (
	"context"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// giveUp ends what waits for a deleted endpoint, as it would end when its time comes.
func (p *Publisher) giveUp(ctx context.Context, e *Endpoint) error {
	if p.admin == nil {
		return nil
	}
	note := webhook.Note{By: p.source(), Why: "the endpoint was deleted"}
	for lane := range maxLanes {
		f := webhook.Filter{Source: p.source(), OrderingKey: laneKey(e.ID, lane)}
		if _, err := p.admin.GiveUp(ctx, f, webhook.Ignored, note); err != nil {
			return err
		}
	}
	return nil
}

const (
	// disableTime bounds the time for which the delivery that has disabled an endpoint ends the
	// others. It is a part of attemptMargin.
	disableTime = time.Minute
	// disablePart is how many it ends before it looks whether the endpoint was resumed.
	disablePart = 1000
)

// endWaiting ends what was published for an endpoint before it was disabled, so that not each
// delivery is claimed for that. What is left, by an error or because there is too much of it,
// ends when it is due.
func (p *Publisher) endWaiting(ctx context.Context, e *Endpoint) {
	if p.admin == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, disableTime)
	defer cancel()
	note := webhook.Note{By: p.source(), Why: "the endpoint is disabled: " + e.Reason}
	for lane := range maxLanes {
		f := webhook.Filter{Source: p.source(), OrderingKey: laneKey(e.ID, lane), To: e.Since, Limit: disablePart}
		for n := disablePart; n == disablePart; {
			now, err := p.endpoints.read(ctx, e.ID)
			if err != nil || now.State != Disabled || !now.Since.Equal(e.Since) {
				return
			}
			if n, err = p.admin.GiveUp(ctx, f, webhook.Dead, note); err != nil {
				p.logger().Warn("deliveries of a disabled endpoint could not be ended at once, and end when they are due", "endpoint", e, "reason", err)
				return
			}
		}
	}
}
