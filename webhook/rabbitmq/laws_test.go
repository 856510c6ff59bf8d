package rabbitmq_test

import (
	"context"
	"testing"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/inboxtest"
)

func TestConsumerIsAQueue(t *testing.T) {
	if node == nil {
		return
	}
	inboxtest.RunQueue(t, func(t *testing.T) (webhook.Handler, webhook.Queue) {
		queue := declare(t, node, 1)
		p, c := newPublisher(t, node, queue), run(t, newConsumer(t, node, queue))
		return webhook.HandlerFunc(func(ctx context.Context, d *webhook.Delivery) error {
			if err := p.Handle(ctx, d); err != nil {
				return err
			}
			await(t, "the Consumer has the delivery", func() bool { return c.Took(d.UID) })
			return nil
		}), c
	})
}
