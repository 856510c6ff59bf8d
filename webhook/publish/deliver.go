package publish

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// deliver makes an attempt to deliver an event to an endpoint, or puts the delivery back
// without one. The endpoint is looked up now, so that what has become of it since the event
// applies.
func (p *Publisher) deliver(ctx context.Context, d *webhook.Delivery) error {
	m, err := parseMessage(d)
	if err != nil {
		return err
	}
	began := time.Now()
	e, err := p.endpoint(ctx, &m)
	switch {
	case errors.Is(err, ErrNotFound):
		return fmt.Errorf("%w: endpoint %s was deleted", webhook.ErrIgnored, quote(m.endpoint))
	case err != nil:
		return p.fault(ctx, "an endpoint cannot be read", err)
	}
	t := &try{p: p, d: d, m: &m, e: e, number: claimed(ctx)}
	if !m.test && e.State == Paused {
		return t.pause(ctx)
	}
	if !m.test && e.State == Disabled {
		return t.skip(ctx, "the endpoint is disabled")
	}
	v, refused := t.admit()
	if refused != nil {
		if refused.wait > endpointAge && e.read.Before(began) && !t.current(ctx) {
			return webhook.Postpone(0, errors.New("publish: the endpoint has changed, and may be tried now"))
		}
		return webhook.Postpone(refused.wait, errors.New("publish: "+refused.reason))
	}
	defer v.end()
	if t.number, err = p.number(ctx, d.UID); err != nil {
		return p.fault(ctx, "the attempts of a delivery cannot be read", err)
	}
	body, release, err := t.body(ctx, v.unproven)
	switch {
	case errors.Is(err, webhook.ErrNotFound):
		return t.skip(ctx, "the event is not stored any more: see the retention of the outbox")
	case errors.Is(err, errNoRoom):
		return webhook.Postpone(busyWait, err)
	case err != nil:
		return p.fault(ctx, "the body of an event cannot be read", err)
	}
	defer release()
	if !t.unchanged(ctx) {
		return webhook.Postpone(0, errors.New("publish: the endpoint has changed while the body was read"))
	}
	return t.attempt(ctx, v, body)
}

// claimed returns the number of the run, the first of which is 1.
func claimed(ctx context.Context) int {
	c, _ := webhook.ClaimFromContext(ctx)
	return max(c.Attempt, 1)
}

// endpoint returns the endpoint of a delivery. One that gets no requests is read again, so
// that what was resumed is not put back by mistake.
func (p *Publisher) endpoint(ctx context.Context, m *message) (*known, error) {
	e, err := p.endpoints.get(ctx, m.endpoint)
	if err == nil && e.State != Active && !m.test {
		return p.endpoints.read(ctx, m.endpoint)
	}
	return e, err
}

// A try is an attempt to deliver an event, or what happens in place of one.
type try struct {
	p      *Publisher
	d      *webhook.Delivery
	m      *message
	e      *known
	number int
}

func (t *try) admit() (*visit, *refusal) {
	if t.m.test {
		return t.p.admission.admitTest()
	}
	return t.p.admission.admit(t.e.Endpoint, t.e.config, time.Now())
}

// unchanged reports whether the endpoint still is as it was when the delivery was admitted.
// It is read again if that is a while ago, because the body took long.
func (t *try) unchanged(ctx context.Context) bool {
	return !t.e.stale() || t.current(ctx)
}

// current reads the endpoint again and reports whether it is as it was.
func (t *try) current(ctx context.Context) bool {
	now, err := t.p.endpoints.read(ctx, t.e.ID)
	if err != nil || now.State != t.e.State || now.config != t.e.config {
		return false
	}
	t.e = now
	return true
}

// hasChanged reports whether an answer says nothing about the endpoint as it is now: it has
// another URL than the one that was called, or was paused or resumed since.
func (t *try) hasChanged(ctx context.Context) bool {
	now, err := t.p.endpoints.read(ctx, t.e.ID)
	return err == nil && now.State != Disabled && !now.isAs(t.e.Endpoint)
}

// isAs reports whether the endpoint has the URL of before, and was neither paused nor resumed
// since.
func (e *Endpoint) isAs(before *Endpoint) bool {
	return e.URL == before.URL && e.Since.Equal(before.Since)
}

// body returns the bytes that are sent. The caller must call release when it has used them,
// unless there is an error.
func (t *try) body(ctx context.Context, unproven bool) (body []byte, release func(), err error) {
	if t.m.size == 0 {
		return t.d.Body, func() {}, nil
	}
	if t.p.admin == nil {
		return nil, nil, fmt.Errorf("%w: %T is no webhook.Admin, and another one has stored the body once", ErrUnsupported, t.p.outbox)
	}
	release, err = t.p.bodies.reserve(t.m.size, unproven)
	if err != nil {
		return nil, nil, err
	}
	if body, err = t.p.bodies.get(ctx, t.m.event); err != nil {
		release()
		return nil, nil, err
	}
	return body, release, nil
}

// attempt sends the request, records what came of it, and returns what becomes of the
// delivery.
func (t *try) attempt(ctx context.Context, v *visit, body []byte) error {
	p := t.p
	request, err := p.newPost(t.e.Endpoint, t.m, t.number, body)
	if err != nil {
		return t.unsigned(ctx, err)
	}
	began := time.Now()
	answer, err := p.send(ctx, request)
	took := time.Since(began)
	switch {
	case err != nil:
		return t.unsigned(ctx, err)
	case answer.err != nil && ctx.Err() != nil: // the Worker ends, or has lost the claim
		return context.Cause(ctx)
	}
	verdict := judge(answer, time.Now())
	v.answered(verdict.result, took, verdict.asked, p.lanes(t.e.Lanes))
	if verdict.gone && t.hasChanged(ctx) {
		verdict.gone = false
	}
	if t.m.test && verdict.result == Failed {
		verdict.result = Rejected // it does not make the endpoint fail
	}
	next := t.next(ctx, verdict)
	a := t.record(Attempt{
		At: began, Took: took, Result: verdict.result, Status: answer.status, Reason: verdict.reason, Response: answer.body,
	}, next)
	p.settle(ctx, t.e.Endpoint, a, verdict.gone && !t.m.test)
	return t.outcome(verdict, next)
}

// unsigned puts the delivery back, since the request cannot be signed.
func (t *try) unsigned(ctx context.Context, err error) error {
	return t.p.fault(ctx, "a request cannot be signed", fmt.Errorf("endpoint %s: %w", quote(t.e.ID), err))
}

// record returns the attempt with what is known of it before.
func (t *try) record(a Attempt, next time.Duration) Attempt {
	a.Endpoint, a.Event, a.UID, a.Type, a.Number = t.e.ID, t.m.id(), t.d.UID, t.m.typ, t.number
	if next > 0 {
		a.Next = time.Now().Add(next)
	}
	return a
}

// next returns the wait before the next attempt, zero if there is none.
func (t *try) next(ctx context.Context, v verdict) time.Duration {
	s := t.p.schedule()
	switch {
	case v.result == Delivered, t.m.test, v.gone:
		return 0
	case v.throttled && t.expired(ctx):
		return 0
	case v.throttled:
		return max(s.wait(1, v.asked), shortestOpen)
	case t.number >= s.attempts(t.e.MaxAttempts):
		return 0
	}
	return s.wait(t.number, v.asked)
}

// outcome returns what the Worker makes of the attempt.
func (t *try) outcome(v verdict, next time.Duration) error {
	if v.result == Delivered {
		return nil
	}
	err := fmt.Errorf("publish: endpoint %s: %s", quote(t.e.ID), v.reason)
	switch {
	case next == 0:
		return webhook.Permanent(err)
	case v.throttled:
		return webhook.Postpone(next, err)
	case t.e.Ordered:
		return webhook.RetryAfter(next, err)
	}
	return webhook.RetryOutOfOrder(webhook.RetryAfter(next, err))
}
