package publish

import (
	"context"
	"fmt"
	"iter"
)

// Attempts returns the attempts that match f, newest first; see [Store.Attempts].
func (p *Publisher) Attempts(ctx context.Context, f AttemptFilter) iter.Seq2[Attempt, error] {
	return p.store.Attempts(ctx, f)
}

// Payload returns the bytes of an event, named by the ID that Publish has returned. They must
// not be changed. The error is [webhook.ErrNotFound] if the outbox does not have it any more,
// and [ErrUnsupported] if the outbox is no [webhook.Admin].
func (p *Publisher) Payload(ctx context.Context, event string) ([]byte, error) {
	if p.admin == nil {
		return nil, fmt.Errorf("%w: %T is no webhook.Admin", ErrUnsupported, p.outbox)
	}
	p.prepare()
	return p.bodies.get(ctx, uidOf(event))
}
