package publish

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"github.com/hookhouse/hookhouse/webhook"
)

// EventType returns the type of the events in the outbox. With Events, a relay takes that type
// from the outbox, and nothing else, and hands it to the broker, until the broker has it:
//
//	relay := spool.NewRelay(outbox, broker)
//	relay.Types = []string{pub.EventType()}
//	err := relay.Run(ctx)
//
// While the broker is away, events wait in the outbox, and none is dead for it. The relay may run
// where the events are published, where they are sent, and in several processes.
func (p *Publisher) EventType() string { return p.source() + ".event" }

// checkEvents refuses the outbox as Events: its deliveries would be taken for events.
func (p *Publisher) checkEvents() error {
	if p.Events != nil && reflect.ValueOf(p.outbox).Comparable() && any(p.Events) == any(p.outbox) {
		return errors.New("publish: Events is the outbox: leave it nil, and events are taken from there")
	}
	return nil
}

// queued handles a delivery of Events. It hands out what the outbox has of the event, so that no
// event is sent that the outbox has not, and that its body is there if it is stored once.
func (p *Publisher) queued(ctx context.Context, d *webhook.Delivery) error {
	if d.Type != p.EventType() {
		// With %w, it would be put back, again and again: no other Worker takes it from there.
		return webhook.Permanent(fmt.Errorf("publish: Events has a delivery of type %s, want %s: %v", quote(d.Type), p.EventType(), webhook.ErrNoHandler))
	}
	if p.admin == nil {
		return p.fanOut(ctx, d)
	}
	r, err := p.stored(ctx, d.UID)
	switch {
	case errors.Is(err, webhook.ErrNotFound), err == nil && r.Delivery.Type != p.EventType():
		return webhook.Permanent(fmt.Errorf("publish: the outbox does not have event %s: it was deleted, or Events is the queue of another outbox", quote(d.UID)))
	case err != nil:
		return p.fault(ctx, "an event cannot be read", err)
	case r.Err != nil:
		return webhook.Permanent(fmt.Errorf("publish: the stored event %s cannot be read: %w", quote(d.UID), r.Err))
	}
	return p.fanOut(ctx, r.Delivery)
}
