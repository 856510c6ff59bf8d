package rabbitmq

import (
	"context"
	"fmt"

	amqp "github.com/rabbitmq/amqp091-go"
)

// markerContentType is that of a marker: an empty message that a Consumer publishes to its own
// queue, to see when all messages that come again have come.
const markerContentType = "application/vnd.hookhouse.marker"

// mark publishes a marker to the queue, and returns nil when the queue has it.
func (p *backPublisher) mark(ctx context.Context) error {
	err := p.send(ctx, p.queue, amqp.Publishing{ContentType: markerContentType, DeliveryMode: amqp.Persistent, AppId: "hookhouse"})
	if err != nil {
		return fmt.Errorf("rabbitmq: marker: %w", err)
	}
	return nil
}

// takeMarker ends the collection of what comes again, and acknowledges the marker. One that comes
// again itself says nothing.
func (s *session) takeMarker(m *amqp.Delivery, returned *sorter) {
	if !m.Redelivered {
		s.c.mu.Lock()
		returned.flush()
		s.c.mu.Unlock()
	}
	go func() { _ = s.ack(m.DeliveryTag) }() // if it is lost, the marker comes again
}
