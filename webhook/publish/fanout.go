package publish

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/hookhouse/hookhouse/webhook"
)

// putsAtOnce is how many deliveries of one event are stored at a time: an inbox commits
// them together.
const putsAtOnce = 32

// fanOut stores a delivery of an event for each endpoint that receives it. If it is cut off,
// it is repeated: the UIDs of the deliveries follow from the event and the endpoint, so
// those that are stored are refused as duplicates.
func (p *Publisher) fanOut(ctx context.Context, d *webhook.Delivery) error {
	m, err := parseMessage(d)
	if err != nil {
		return err
	}
	targets, err := p.targets(ctx, &m)
	if err != nil {
		return p.fault(ctx, "endpoints of an event cannot be read", err)
	}
	copied := p.admin == nil || len(d.Body)*len(targets) <= maxCopied
	if !copied {
		p.prepare()
		p.bodies.keep(d.UID, d.Body)
	}
	var puts errgroup.Group
	puts.SetLimit(putsAtOnce)
	for _, t := range targets {
		puts.Go(func() error {
			_, err := p.put(ctx, p.deliveryTo(d, m, t, copied))
			return err
		})
	}
	if err := puts.Wait(); err != nil {
		return p.fault(ctx, "deliveries of an event cannot be stored", err)
	}
	return nil
}

// targets returns the endpoints that receive an event: one if the event is a test.
func (p *Publisher) targets(ctx context.Context, m *message) ([]Target, error) {
	if m.endpoint != "" {
		return []Target{{ID: m.endpoint}}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	return p.store.Match(ctx, m.owner, m.typ)
}

// put stores a delivery that may be stored already. It reports whether it was not.
func (p *Publisher) put(ctx context.Context, d *webhook.Delivery) (stored bool, err error) {
	err = p.outbox.Put(ctx, d)
	if webhook.IsDuplicate(err) { // false for nil
		return false, nil
	}
	return err == nil, err
}

// deliveryTo returns the delivery of an event to an endpoint, with a copy of the body or
// without.
func (p *Publisher) deliveryTo(event *webhook.Delivery, m message, t Target, copied bool) *webhook.Delivery {
	test := m.endpoint != ""
	m.event, m.endpoint, m.test = event.UID, t.ID, test
	d := webhook.NewDelivery(p.source(), p.deliveryType(), "", nil)
	d.UID = deliveryUID(event.UID, t.ID)
	d.ID = m.id()
	d.OrderingKey = m.lane(t.ID, p.lanes(t.Lanes))
	if test {
		d.OrderingKey = testKey(t.ID)
	}
	d.ReceivedAt = event.ReceivedAt
	if copied {
		d.Body = event.Body
	} else {
		m.size = int64(len(event.Body))
	}
	d.Header = m.header()
	for name, values := range event.TraceHeader() {
		d.Header[name] = values
	}
	return d
}

// deliveryUID follows from the event and the endpoint, so that an event is stored once for
// each endpoint, however often that is tried.
func deliveryUID(event, endpoint string) string { return event + "-" + endpoint }

// fault puts a delivery back because of a fault that is not the endpoint's: it costs no
// attempt. It is logged as an error, unless the Worker is about to end.
func (p *Publisher) fault(ctx context.Context, what string, err error) error {
	if ctx.Err() == nil {
		p.faults.log(p.logger(), what, err)
	}
	return webhook.Postpone(faultWait, fmt.Errorf("publish: %s: %w", what, err))
}
