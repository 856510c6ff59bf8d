package publish

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// The wait of a delivery of a paused endpoint is a tenth of the pause so far, between these.
// Resume ends it; only a delivery that is being put back at this very moment waits for it.
const (
	shortestPause = 5 * time.Second
	longestPause  = 10 * time.Minute
)

// pause puts back a delivery whose endpoint is paused. The others of its lane are behind it,
// and cost nothing.
func (t *try) pause(ctx context.Context) error {
	if t.expired(ctx) {
		return t.skip(ctx, fmt.Sprintf("the endpoint is paused, and the event has waited for %v", t.p.retention()))
	}
	wait := min(max(time.Since(t.e.Since)/10, shortestPause), longestPause)
	return webhook.Postpone(wait, errors.New("publish: the endpoint is paused"))
}

// skip ends a delivery without a request: it is dead, so that Resend finds it.
func (t *try) skip(ctx context.Context, why string) error {
	a := t.record(Attempt{At: time.Now(), Result: Skipped, Reason: why}, 0)
	t.p.settle(ctx, t.e.Endpoint, a, false)
	return webhook.Permanent(fmt.Errorf("publish: endpoint %s: %s", quote(t.e.ID), why))
}
