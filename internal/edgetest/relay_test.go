package edgetest

import (
	"context"
	"sync"
	"time"

	"github.com/hookhouse/hookhouse/internal/dbtest/process"
	"github.com/hookhouse/hookhouse/internal/dbtest/wait"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/rabbitmq"
	"github.com/hookhouse/hookhouse/webhook/spool"
)

// runRelay moves deliveries from RabbitMQ to PostgreSQL.
func (m member) runRelay(ctx context.Context) error {
	inbox, db, err := open(m.Store, concurrency)
	if err != nil {
		return err
	}
	defer db.Close()
	defer inbox.Close()
	consumer := rabbitmq.NewConsumer(dialAny(m.Brokers), m.Queue)
	consumer.Immediate = true
	target := m.counted(webhook.Store(inbox))
	if m.AcksFirst {
		target = acksFirst(target)
	}
	r := spool.NewRelay(consumer, target)
	r.Concurrency = concurrency
	r.Retry = webhook.Backoff{Max: time.Second}
	process.Ready("")
	return runTogether(ctx, consumer, r)
}

// runTogether runs a Consumer and the Relay that claims from it until ctx ends, and returns the
// first error.
func runTogether(ctx context.Context, consumer *rabbitmq.Consumer, r *spool.Relay) error {
	var consuming sync.WaitGroup
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var failed error
	consuming.Go(func() {
		failed = consumer.Run(ctx)
		stop()
	})
	err := r.Run(ctx)
	stop()
	consuming.Wait()
	if err == nil {
		err = failed
	}
	return err
}

// counted writes each call of Store to the journal.
func (m member) counted(store webhook.Handler) webhook.Handler {
	return webhook.HandlerFunc(func(ctx context.Context, d *webhook.Delivery) error {
		m.write(tries, d.ID)
		err := store.Handle(ctx, d)
		if err == nil || webhook.IsDuplicate(err) {
			m.write(stored, d.ID)
		} else {
			m.write(refused, d.ID)
		}
		return err
	})
}

// acksFirst is a mistake: it returns nil and stores the delivery afterwards.
func acksFirst(store webhook.Handler) webhook.Handler {
	return webhook.HandlerFunc(func(ctx context.Context, d *webhook.Delivery) error {
		ctx = context.WithoutCancel(ctx)
		go func() {
			_ = wait.Part(ctx, 200*time.Millisecond)
			_ = store.Handle(ctx, d)
		}()
		return nil
	})
}
