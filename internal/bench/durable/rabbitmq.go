package durable

import (
	"context"
	"errors"
	"net/http"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/hookhouse/hookhouse/internal/bench/env"
	"github.com/hookhouse/hookhouse/internal/bench/receive"
	"github.com/hookhouse/hookhouse/webhook/rabbitmq"
)

// openRabbit is a Receiver that publishes.
func openRabbit(_ context.Context, at string) (*opened, error) {
	q := env.QueueOf(at)
	p := rabbitmq.NewPublisher(q.Dial, q.Name)
	return &opened{handler: receive.Receiver(receive.PushSource(), p), count: q.Count, close: p.Close}, nil
}

// plainChannels is as many as the Publisher has.
const plainChannels = 4

// openPlainRabbit is the floor of the broker: the body alone, published as durably as by the
// Publisher, each on the next of some channels.
func openPlainRabbit(ctx context.Context, at string) (*opened, error) {
	q := env.QueueOf(at)
	conn, err := q.Dial(ctx)
	if err != nil {
		return nil, err
	}
	channels := make(chan *amqp.Channel, plainChannels)
	for range plainChannels {
		ch, err := conn.Channel()
		if err == nil {
			err = ch.Confirm(false)
		}
		if err != nil {
			return nil, errors.Join(err, conn.Close())
		}
		channels <- ch
	}
	publish := func(ctx context.Context, body []byte) error {
		ch := <-channels
		confirm, err := ch.PublishWithDeferredConfirm("", q.Name, true, false, amqp.Publishing{DeliveryMode: amqp.Persistent, Body: body})
		channels <- ch
		if err != nil {
			return err
		}
		if ok, err := confirm.WaitContext(ctx); err != nil || !ok {
			return errors.Join(errors.New(http.StatusText(http.StatusServiceUnavailable)), err)
		}
		return nil
	}
	return &opened{handler: receive.StoreBody(publish), count: q.Count, close: conn.Close}, nil
}
