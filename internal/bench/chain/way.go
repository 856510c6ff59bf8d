package chain

import (
	"context"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/hookhouse/hookhouse/internal/bench/env"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/rabbitmq"
	"github.com/hookhouse/hookhouse/webhook/spool"
)

// The names by which aims refer to ways.
const (
	straight      = "PostgreSQL, Worker"
	throughBroker = "RabbitMQ, Relay, PostgreSQL, Worker"
	relayed       = "Relay, RabbitMQ to PostgreSQL"
)

// A way is one that deliveries go.
type way struct {
	name   string
	broker bool
	filled bool // all are accepted before the parts run
	// open returns what accepts deliveries, and the parts that run until the context ends.
	open func(ctx context.Context, s *stores, a *arrivals) (webhook.Handler, []part, error)
}

type part func(ctx context.Context) error

var ways = []way{
	{name: straight, open: func(ctx context.Context, s *stores, a *arrivals) (webhook.Handler, []part, error) {
		in, err := s.inbox(ctx, env.PostgreSQL)
		if err != nil {
			return nil, nil, err
		}
		return webhook.Store(in), []part{worker(in, a)}, nil
	}},
	{name: throughBroker, broker: true, open: func(ctx context.Context, s *stores, a *arrivals) (webhook.Handler, []part, error) {
		publisher, relay, in, err := s.chain(ctx)
		if err != nil {
			return nil, nil, err
		}
		return publisher, append(relay, worker(in, a)), nil
	}},
	{name: "Spool, " + throughBroker, broker: true, open: func(ctx context.Context, s *stores, a *arrivals) (webhook.Handler, []part, error) {
		publisher, relay, in, err := s.chain(ctx)
		if err != nil {
			return nil, nil, err
		}
		local, err := s.inbox(ctx, env.SQLite)
		if err != nil {
			return nil, nil, err
		}
		sp := spool.New(publisher, local)
		return sp, append(relay, sp.Run, worker(in, a)), nil
	}},
	{name: "consume and acknowledge, RabbitMQ", broker: true, filled: true, open: func(ctx context.Context, s *stores, a *arrivals) (webhook.Handler, []part, error) {
		q, err := s.queue(ctx)
		if err != nil {
			return nil, nil, err
		}
		return s.publisher(q), []part{consume(q, a)}, nil
	}},
	{name: relayed, broker: true, filled: true, open: func(ctx context.Context, s *stores, a *arrivals) (webhook.Handler, []part, error) {
		q, err := s.queue(ctx)
		if err != nil {
			return nil, nil, err
		}
		in, err := s.inbox(ctx, env.PostgreSQL)
		if err != nil {
			return nil, nil, err
		}
		return s.publisher(q), relay(q, a.after(webhook.Store(in))), nil
	}},
	{name: "Relay, SQLite to PostgreSQL", filled: true, open: func(ctx context.Context, s *stores, a *arrivals) (webhook.Handler, []part, error) {
		local, err := s.inbox(ctx, env.SQLite)
		if err != nil {
			return nil, nil, err
		}
		in, err := s.inbox(ctx, env.PostgreSQL)
		if err != nil {
			return nil, nil, err
		}
		return webhook.Store(local), []part{spool.NewRelay(local, a.after(webhook.Store(in))).Run}, nil
	}},
}

// after returns a Handler that notes what next has taken.
func (a *arrivals) after(next webhook.Handler) webhook.Handler {
	return webhook.HandlerFunc(func(ctx context.Context, d *webhook.Delivery) error {
		err := next.Handle(ctx, d)
		if err == nil {
			a.add(d)
		}
		return err
	})
}

// worker is a Worker with a callback that does nothing.
func worker(in webhook.Inbox, a *arrivals) part {
	nothing := webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error { return nil })
	w := webhook.NewWorker(in, &webhook.Mux{Default: a.after(nothing)})
	w.Concurrency = senders
	return w.Run
}

// relay is a Consumer of a queue, and a Relay of what it gets.
func relay(q env.Queue, to webhook.Handler) []part {
	c := rabbitmq.NewConsumer(q.Dial, q.Name)
	r := spool.NewRelay(c, to)
	r.Concurrency = senders
	return []part{c.Run, r.Run}
}

// consume is the floor of a Consumer: messages are decoded and acknowledged.
func consume(q env.Queue, a *arrivals) part {
	return func(ctx context.Context) error {
		return q.Do(ctx, func(ch *amqp.Channel) error {
			if err := ch.Qos(256, 0, false); err != nil {
				return err
			}
			messages, err := ch.ConsumeWithContext(ctx, q.Name, "", false, false, false, false, nil)
			if err != nil {
				return err
			}
			for m := range messages {
				d := new(webhook.Delivery)
				if err := d.UnmarshalBinary(m.Body); err != nil {
					return err
				}
				if err := m.Ack(false); err != nil {
					return err
				}
				a.add(d)
			}
			return nil
		})
	}
}
