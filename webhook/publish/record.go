package publish

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// recordTimeout is for how long the recording of an attempt is tried.
const recordTimeout = 30 * time.Second

// settle records an attempt, tells the Observer, and disables the endpoint if it wants no
// events or has failed for too long.
func (p *Publisher) settle(ctx context.Context, e *Endpoint, a Attempt, gone bool) {
	began := p.record(ctx, e, a)
	p.attempted(ctx, e, a)
	if began {
		e = e.Clone()
		e.FailingSince, e.Last = a.At, a
		p.failing(ctx, e, a)
	}
	switch limit := p.disableAfter(); {
	case gone:
		p.disable(ctx, e.ID, fmt.Sprintf("status %d: it wants no events", a.Status), func(now *Endpoint) bool { return now.isAs(e) })
	case a.Result == Failed && limit > 0 && !e.FailingSince.IsZero() && a.At.Sub(e.FailingSince) >= limit && p.hasFailedEnough(ctx, e.ID, e.FailingSince, a.At):
		p.disable(ctx, e.ID, "it has failed for "+limit.String(), func(now *Endpoint) bool {
			return !now.FailingSince.IsZero() && a.At.Sub(now.FailingSince) >= limit
		})
	}
}

// record records an attempt and reports whether the failing of the endpoint begins with it.
// The request was made, so a fault of the Store must not make it be sent again: it is tried
// for recordTimeout, or until the Worker ends, and then logged with all that is lost.
func (p *Publisher) record(ctx context.Context, e *Endpoint, a Attempt) (began bool) {
	storing, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer cancel()
	for wait := 100 * time.Millisecond; ; wait = min(2*wait, faultWait) {
		began, err := p.recordOnce(storing, a)
		if err == nil {
			return began
		}
		retry := time.NewTimer(wait)
		select {
		case <-retry.C:
		case <-ctx.Done():
		case <-storing.Done():
		}
		retry.Stop()
		if ctx.Err() != nil || storing.Err() != nil || errors.Is(err, ErrAttempt) {
			p.logger().Error("attempt could not be recorded", "endpoint", e, "event", a.Event, "type", a.Type, "attempt", a.Number,
				"result", a.Result, "status", a.Status, "at", a.At, "took", a.Took, "reason", err)
			return false
		}
	}
}

func (p *Publisher) recordOnce(ctx context.Context, a Attempt) (began bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	return p.store.Record(ctx, a)
}

// errUnchanged ends a change that is not needed.
var errUnchanged = errors.New("publish: nothing to change")

// disable disables an active endpoint if holds is true of it as it is now. Of several
// processes one does it.
func (p *Publisher) disable(ctx context.Context, id, why string, holds func(now *Endpoint) bool) {
	e, err := p.storeDisabled(ctx, id, why, holds)
	p.endpoints.forget(id)
	switch {
	case err == nil:
		p.disabled(ctx, e)
		p.endWaiting(ctx, e)
	case errors.Is(err, errUnchanged), errors.Is(err, ErrNotFound):
	default:
		p.faults.log(p.logger(), "an endpoint cannot be disabled", err)
	}
}

// storeDisabled tries for storeTimeout. A try whose answer is lost may have disabled the
// endpoint: the next one finds what it has stored.
func (p *Publisher) storeDisabled(ctx context.Context, id, why string, holds func(now *Endpoint) bool) (*Endpoint, error) {
	storing, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
	defer cancel()
	since := stored(time.Now())
	for try := 1; ; try++ {
		var own *Endpoint // as an earlier try has stored it
		e, err := p.store.Update(storing, id, func(e *Endpoint) error {
			own = nil
			if try > 1 && e.State == Disabled && e.Since.Equal(since) && e.Reason == why {
				own = e.Clone()
			}
			if e.State != Active || !holds(e) {
				return errUnchanged
			}
			e.State, e.Reason, e.Since = Disabled, why, since
			return nil
		})
		switch {
		case errors.Is(err, errUnchanged) && own != nil:
			return own, nil
		case err == nil, errors.Is(err, errUnchanged), errors.Is(err, ErrNotFound):
			return e, err
		}
		retry := time.NewTimer(time.Duration(try) * 100 * time.Millisecond)
		select {
		case <-retry.C:
		case <-ctx.Done():
		case <-storing.Done():
		}
		retry.Stop()
		if ctx.Err() != nil || storing.Err() != nil {
			return nil, err
		}
	}
}
