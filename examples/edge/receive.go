package main

import (
	"context"
	"fmt"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/rabbitmq"
	"github.com/hookhouse/hookhouse/webhook/spool"
)

// lease is how long what a killed process had under way waits until it runs again.
const lease = 15 * time.Second

// openEdge opens what -edge needs: receivers before a Spool, which publishes to RabbitMQ, or
// stores in the local inbox while RabbitMQ does not confirm. RabbitMQ is none of the pings: without
// it an edge still accepts calls.
func (s *service) openEdge(ctx context.Context) error {
	local, err := openStore(ctx, s.local)
	if err != nil {
		return fmt.Errorf("-local: %w", err)
	}
	if err := s.use("local", local); err != nil {
		return err
	}
	publisher := rabbitmq.NewPublisher(s.broker.dial, s.broker.queue)
	publisher.Partitions = s.broker.partitions
	s.closers = append(s.closers, func() { _ = publisher.Close() })
	primary := spool.New(publisher, local)
	primary.Lease = lease
	s.runners = append(s.runners, primary)

	// Receivers are mounted without a method and answer 405 themselves.
	for _, one := range s.senders {
		source := one.source(one.secrets...)
		receiver := webhook.NewReceiver(source, primary)
		receiver.Observer = s.metrics.Observer()
		s.public.Handle(one.pattern, s.inspector.Watch(source, receiver))
		s.log.Info("mounted", "sender", source.Name, "pattern", one.pattern)
	}
	return nil
}
