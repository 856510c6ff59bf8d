package main

import (
	"context"
	"io"
	"sync"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/prom"
	"github.com/hookhouse/hookhouse/webhook/rabbitmq"
	"github.com/hookhouse/hookhouse/webhook/spool"
)

// openDatabase opens what -relay and -work need: PostgreSQL, what puts deliveries into it, and
// what handles them.
func (s *service) openDatabase(ctx context.Context) error {
	inbox, err := openStore(ctx, s.database)
	if err != nil {
		return err
	}
	if err := s.use("database", inbox); err != nil {
		return err
	}
	inbox.Observer = s.metrics.InboxObserver()
	if s.relay {
		s.addRelays(webhook.Store(inbox))
	}
	if s.work {
		s.addWorker(inbox)
	}
	return nil
}

// addRelays adds a consumer and a relay for each queue. Of several processes, one is active for a
// queue, and the others wait to take its place.
func (s *service) addRelays(to webhook.Handler) {
	for _, queue := range rabbitmq.Queues(s.broker.queue, s.broker.partitions) {
		consumer := rabbitmq.NewConsumer(s.broker.dial, queue)
		consumer.Immediate = true // PostgreSQL waits for the end of a burst
		s.pings = append(s.pings, consumer.Ping)
		s.runners = append(s.runners, consumer, spool.NewRelay(consumer, to))
	}
}

// addWorker adds the worker, which handles the deliveries of all types.
func (s *service) addWorker(inbox webhook.Queue) {
	worker := webhook.NewWorker(inbox, &webhook.Mux{Default: s.out})
	worker.Lease = lease
	worker.Observer = s.metrics.Observer()
	s.runners, s.workers = append(s.runners, worker), append(s.workers, worker)
	s.collectors = append(s.collectors, prom.Health(map[string]*webhook.Worker{"main": worker}))
}

// A line is the output for one handled delivery.
type line struct {
	Msg         string `json:"msg"`
	Source      string `json:"source"`
	Type        string `json:"type"`
	ID          string `json:"id,omitempty"`
	UID         string `json:"uid"`
	OrderingKey string `json:"ordering_key,omitempty"`
	Attempt     int    `json:"attempt"`
}

// A printer is a Handler that writes one line for each delivery.
type printer struct {
	mu sync.Mutex
	w  io.Writer
}

// Handle stands for your work. If it returns an error, the delivery is retried.
func (p *printer) Handle(ctx context.Context, d *webhook.Delivery) error {
	claim, _ := webhook.ClaimFromContext(ctx)
	text, err := jsonLine(line{"handled", d.Source, d.Type, d.ID, d.UID, d.OrderingKey, claim.Attempt})
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	_, err = p.w.Write(text)
	return err
}
