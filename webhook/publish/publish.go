package publish

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"

	"github.com/hookhouse/hookhouse/webhook"
)

// Publish stores an event, and returns its ID when the outbox has committed it. It is sent
// when Run works, in this process or in another one, to the endpoints that match by then.
//
//   - The ID is the Webhook-Id of the requests, the same for all endpoints and all attempts.
//   - If the owner has published an event with the same Once, nothing is stored, and the
//     result is the ID of the first one. If that could not be handed to its endpoints and
//     is dead, it is tried again.
//   - The error is [ErrEvent] if a field has a value that it cannot have, if the payload
//     cannot be encoded or is too large, and if Publisher.EventTypes lacks the type. Then
//     nothing is stored. Otherwise it is that of the outbox, and the event may be stored.
//   - Publish reads no endpoints: no fault of the Store can make it fail, and its cost does
//     not depend on their number.
//   - Within a callback of a Worker the event belongs to the trace of its delivery.
func (p *Publisher) Publish(ctx context.Context, e Event) (id string, err error) {
	return p.publish(ctx, &e, "", p.outbox.Put)
}

// A txPutter is an Inbox that can store a delivery in a transaction of the program, such as
// that of package sqlinbox.
type txPutter interface {
	PutTx(ctx context.Context, tx *sql.Tx, d *webhook.Delivery) error
}

// PublishTx is Publish in a transaction of the program: the event is stored if the
// transaction commits, and otherwise not. The outbox must be in the same database. With
// package sqlinbox, run the transaction with its Inbox.Write: then the Workers see the event
// at once. The error is [ErrUnsupported] if the outbox has no method PutTx.
func (p *Publisher) PublishTx(ctx context.Context, tx *sql.Tx, e Event) (id string, err error) {
	outbox, ok := p.outbox.(txPutter)
	if !ok {
		return "", fmt.Errorf("%w: %T has no PutTx", ErrUnsupported, p.outbox)
	}
	return p.publish(ctx, &e, "", func(ctx context.Context, d *webhook.Delivery) error { return outbox.PutTx(ctx, tx, d) })
}

// publish stores an event for one endpoint, or for all if that is empty.
func (p *Publisher) publish(ctx context.Context, e *Event, endpoint string, put func(context.Context, *webhook.Delivery) error) (string, error) {
	d, err := p.delivery(e, endpoint)
	if err != nil {
		return "", err
	}
	if c, ok := webhook.ClaimFromContext(ctx); ok && c.Delivery != nil {
		maps.Copy(d.Header, c.Delivery.TraceHeader())
	}
	err = put(ctx, d)
	duplicate, ok := errors.AsType[*webhook.DuplicateError](err)
	switch {
	case err == nil:
		return idPrefix + d.UID, nil
	case !ok || !webhook.IsDuplicate(err):
		return "", fmt.Errorf("publish: event of type %s: %w", quote(e.Type), err)
	case duplicate.State == webhook.Dead && !duplicate.Revived:
		return "", fmt.Errorf("publish: an event with the same Once is dead: %w", err)
	}
	return idPrefix + duplicate.UID, nil
}
