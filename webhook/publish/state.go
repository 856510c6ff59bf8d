package publish

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/hookhouse/hookhouse/webhook"
)

// Pause stops the requests of an endpoint: its events are recorded and wait until Resume, for
// up to Publisher.Retention. Requests under way end; in other processes one may begin for
// another second. Pausing a paused endpoint replaces the reason. The error is [ErrEndpoint]
// if it is disabled, and [ErrNotFound] if there is no such endpoint.
func (p *Publisher) Pause(ctx context.Context, id, why string) (*Endpoint, error) {
	defer p.endpoints.forget(id)
	return p.store.Update(ctx, id, func(e *Endpoint) error {
		switch e.State {
		case Disabled:
			return endpointError(e, "State "+quote(string(e.State)), "a disabled endpoint has nothing to pause; resume it first")
		case Active:
			e.State, e.Since = Paused, sinceAfter(e.Since)
		}
		e.Reason = why
		return nil
	})
}

// Resume makes a paused or disabled endpoint active again.
//
//   - What has waited for it is due now, and failing begins to count anew. So is a retry
//     that is the next of its lane; the other retries keep their times, and
//     [Publisher.ResendEvent] tries one at once.
//   - Events that were not recorded while it was disabled are not sent, nor those that were
//     given up: see [Publisher.Resend].
//   - If it was disabled within the last minute, what waits may be ending at this moment: up
//     to 1000 deliveries may end dead after Resume has returned. Call Resend a little later.
//   - An active endpoint may be resumed too: what its breaker holds back is tried at once,
//     in every process, and its Since becomes now, or a microsecond more than it was.
//   - The error is [ErrNotFound] if there is no such endpoint. After any other error it may
//     be active, and what waits may be due only later; call Resume again.
func (p *Publisher) Resume(ctx context.Context, id string) (*Endpoint, error) {
	e, err := p.store.Update(ctx, id, func(e *Endpoint) error {
		if e.State != Active {
			e.State, e.Reason, e.FailingSince = Active, "", time.Time{}
		}
		e.Since = sinceAfter(e.Since)
		return nil
	})
	p.endpoints.forget(id)
	if err != nil {
		return nil, err
	}
	p.forget(id)
	if err := p.release(ctx, e); err != nil {
		return e, fmt.Errorf("publish: endpoint %s is active, but what waits for it is due later: %w", quote(id), err)
	}
	return e, nil
}

// sinceAfter returns the Since of an endpoint that is paused or resumed now. It differs from
// every one before, even within a microsecond or if the clock was set back: by it an attempt
// under way, and every other process, tells that the endpoint has changed.
func sinceAfter(before time.Time) time.Time {
	now := stored(time.Now())
	if now.After(before) {
		return now
	}
	return before.Add(time.Microsecond)
}

// forget makes the endpoint begin anew in this process.
func (p *Publisher) forget(id string) {
	p.prepare()
	p.admission.forget(id)
}

// A delivery may be on its way back while its lane is released: releasing is tried
// releaseTries times, with releaseWait between.
const (
	releaseTries   = 4
	releaseWait    = 50 * time.Millisecond
	releasesAtOnce = 8
)

// release makes the next delivery of each lane due: those after it follow. An outbox that is
// no [webhook.Admin] cannot do it; then it is due when its time comes.
func (p *Publisher) release(ctx context.Context, e *Endpoint) error {
	if p.admin == nil {
		return nil
	}
	var lanes errgroup.Group
	lanes.SetLimit(releasesAtOnce)
	for lane := range maxLanes { // it may have had more lanes before
		lanes.Go(func() error { return p.releaseLane(ctx, laneKey(e.ID, lane)) })
	}
	return lanes.Wait()
}

func (p *Publisher) releaseLane(ctx context.Context, key string) error {
	for try := 1; ; try++ {
		err := p.admin.ReleaseKey(ctx, p.source(), key)
		switch {
		case err == nil, errors.Is(err, webhook.ErrNotFound):
			return nil // nothing waits
		case !errors.Is(err, webhook.ErrState):
			return err
		case try == releaseTries:
			return nil // a request is under way
		}
		again := time.NewTimer(releaseWait)
		select {
		case <-again.C:
		case <-ctx.Done():
			again.Stop()
			return ctx.Err()
		}
	}
}
