package publish

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// Resend sends an endpoint what it has not got of the events since a time: those that were
// given up run again, and those that were never recorded for it, because it was disabled or
// not registered, are sent for the first time. It returns their number.
//
//   - Events that it has got, and those that wait for it, are left alone. So a second Resend
//     sends nothing twice.
//   - It begins with the oldest.
//   - It finds events for as long as the outbox keeps them, and reads all of them since that
//     time, of all owners. It keeps the UIDs of those that match in memory.
//   - Publisher.Retention counts from now for what is sent, and no longer from the event: it
//     bounds the wait for an endpoint that is paused or has too many requests.
//   - The outbox keeps an event no longer for that. When it deletes the event, what still
//     waits ends dead if its body is stored with the event, as that of one which takes more
//     than 64 KiB for all endpoints together is.
//   - The endpoint should be active; see [Publisher.Resume]. For one that is disabled they
//     end dead again.
//   - After an error, what was sent so far stays so; call it again.
//   - The error is [ErrNotFound] if there is no such endpoint, and [ErrUnsupported] if the
//     outbox is no [webhook.Admin]. A Note without By is an error.
func (p *Publisher) Resend(ctx context.Context, id string, since time.Time, n webhook.Note) (int, error) {
	e, err := p.resendable(ctx, id, n)
	if err != nil {
		return 0, err
	}
	events, err := p.eventsFor(ctx, e, since)
	if err != nil {
		return 0, fmt.Errorf("publish: events cannot be read: %w", err)
	}
	sent := 0
	for _, uid := range slices.Backward(events) {
		ran, err := p.resendEvent(ctx, e, uid, n, false)
		if errors.Is(err, webhook.ErrNotFound) {
			continue // swept in the meantime
		}
		if err != nil {
			return sent, err
		}
		if ran {
			sent++
		}
	}
	return sent, nil
}

// ResendEvent sends one event to an endpoint now, whether the endpoint has got it before or
// not. The event is named by the ID that Publish has returned; whether the endpoint wants its
// type is not asked.
//
//   - An event that is finished runs again.
//   - One that waits for a retry is tried at once. Its Retention still counts from before.
//   - One that was not recorded is sent for the first time.
//   - One that is being sent is left alone.
//
// The error is [ErrNotFound] if there is no such endpoint, [webhook.ErrNotFound] if the event
// is not stored any more, [webhook.ErrState] if it is behind another one in its lane, and
// [ErrUnsupported] if the outbox is no [webhook.Admin]. A Note without By is an error.
func (p *Publisher) ResendEvent(ctx context.Context, id, event string, n webhook.Note) error {
	e, err := p.resendable(ctx, id, n)
	if err != nil {
		return err
	}
	_, err = p.resendEvent(ctx, e, uidOf(event), n, true)
	return err
}

// resendable returns the endpoint if events can be sent to it again.
func (p *Publisher) resendable(ctx context.Context, id string, n webhook.Note) (*Endpoint, error) {
	if p.admin == nil {
		return nil, fmt.Errorf("%w: %T is no webhook.Admin", ErrUnsupported, p.outbox)
	}
	if n.By == "" {
		return nil, errors.New("publish: a Note needs By")
	}
	return p.store.Get(ctx, id)
}

// eventsFor returns the UIDs of the events since a time that an endpoint receives, newest
// first.
func (p *Publisher) eventsFor(ctx context.Context, e *Endpoint, since time.Time) (uids []string, err error) {
	f := webhook.Filter{Source: p.source(), Type: p.EventType(), From: since, Bodies: true}
	for r, err := range p.admin.All(ctx, f) {
		if err != nil {
			return nil, err
		}
		if r.Err != nil {
			continue // it cannot be sent
		}
		m, err := parseMessage(r.Delivery)
		if err == nil && m.endpoint == "" && m.owner == e.Owner && e.receives(m.typ) {
			uids = append(uids, r.Delivery.UID)
		}
	}
	return uids, nil
}

// receives reports whether the endpoint wants events of a type.
func (e *Endpoint) receives(typ string) bool {
	return slices.ContainsFunc(Patterns(typ), func(pattern string) bool { return slices.Contains(e.Events, pattern) })
}

// resendEvent sends an event to an endpoint, and reports whether there was need: if it was
// given up or never recorded, or always is true.
func (p *Publisher) resendEvent(ctx context.Context, e *Endpoint, uid string, n webhook.Note, always bool) (ran bool, err error) {
	delivery := deliveryUID(uid, e.ID)
	r, err := p.admin.Get(ctx, delivery)
	switch {
	case errors.Is(err, webhook.ErrNotFound):
		return p.sendFirst(ctx, e, uid)
	case err != nil:
		return false, fmt.Errorf("publish: %w", err)
	case !r.State.Final():
		if !always || r.State == webhook.Claimed { // to release it would send it twice at a time
			return false, nil
		}
		err := p.admin.Release(ctx, delivery)
		return err == nil, err
	case r.State != webhook.Dead && !always:
		return false, nil
	}
	again := webhook.Filter{UID: delivery}
	if !always { // somebody else may have sent it since
		again.States = []webhook.State{webhook.Dead}
	}
	_, err = p.admin.Replay(ctx, again, n)
	if errors.Is(err, webhook.ErrState) || errors.Is(err, webhook.ErrNotFound) {
		return false, nil // somebody else has done it, or it was swept
	}
	return err == nil, err
}

// sendFirst stores the delivery of an event to an endpoint that has none.
func (p *Publisher) sendFirst(ctx context.Context, e *Endpoint, uid string) (bool, error) {
	r, err := p.admin.Get(ctx, uid)
	if err != nil {
		return false, err
	}
	m, err := parseMessage(r.Delivery)
	if err != nil || r.Delivery.Type != p.EventType() || m.owner != e.Owner {
		return false, fmt.Errorf("%w: %s is no event of the endpoint's owner", webhook.ErrNotFound, quote(uid))
	}
	m.resent = time.Now()
	copied := len(r.Delivery.Body) <= maxCopied
	return p.put(ctx, p.deliveryTo(r.Delivery, m, Target{ID: e.ID, Lanes: e.Lanes}, copied))
}

// Test sends an event to one endpoint, once, whatever the state of the endpoint is, and
// returns its ID. What comes of it is an attempt as any other; see [Publisher.Attempts]. If it
// fails, the endpoint does not begin to fail; if it succeeds, the failing of the endpoint
// ends. The event gets the owner of the endpoint, and
// Key and Once do not apply. The error is [ErrNotFound] if there is no such endpoint;
// otherwise as that of Publish.
func (p *Publisher) Test(ctx context.Context, id string, e Event) (event string, err error) {
	endpoint, err := p.store.Get(ctx, id)
	if err != nil {
		return "", err
	}
	e.Owner, e.Key, e.Once = endpoint.Owner, "", ""
	return p.publish(ctx, &e, endpoint.ID, p.outbox.Put)
}
