package publish

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/hookhouse/hookhouse/webhook"
)

const (
	// attemptMargin is what a delivery may take beside its attempt: for the Store.
	attemptMargin = 2 * time.Minute
	// sweepInterval is how often old attempts are deleted.
	sweepInterval = 10 * time.Minute
	// sweepBatch is how many are deleted at a time.
	sweepBatch = 1000
)

// Run works until ctx ends: it hands events to endpoints, with two Workers on the outbox, or
// one on the outbox and one on Events, and deletes attempts that are older than Retention. It
// returns as [webhook.Worker.Run] does, with [webhook.ErrRunning] if it runs already, and with
// an error if Schedule has a wait that it cannot have, if Events is the outbox, or if the outbox
// says, by a method Kept as those of [webhook.MemInbox] and of package sqlinbox, that it deletes
// events before Schedule or Retention is over. Several processes may run on one outbox and one
// Store.
func (p *Publisher) Run(ctx context.Context) error {
	if err := p.schedule().validate(); err != nil {
		return err
	}
	if err := p.checkKept(); err != nil {
		return err
	}
	if err := p.checkEvents(); err != nil {
		return err
	}
	if !p.running.CompareAndSwap(false, true) {
		return fmt.Errorf("%w: Run of this Publisher has not returned", webhook.ErrRunning)
	}
	defer p.running.Store(false)
	p.prepare()
	defer p.own.close()
	group, ctx := errgroup.WithContext(ctx)
	for _, w := range p.workers {
		group.Go(func() error { return w.Run(ctx) })
	}
	group.Go(func() error {
		p.sweep(ctx)
		return nil
	})
	return group.Wait()
}

// checkKept refuses an outbox that deletes an event, which is finished when its deliveries are
// stored, while they may still need its body.
func (p *Publisher) checkKept() error {
	outbox, ok := p.outbox.(interface {
		Kept() (finished, dead time.Duration)
	})
	if !ok {
		return nil
	}
	kept, _ := outbox.Kept()
	switch longest := p.schedule().longest(); {
	case kept < 0:
	case kept < longest:
		return fmt.Errorf("publish: the outbox deletes events after %v, but Schedule can take %v: raise the Retention of the outbox", kept, longest)
	case kept < p.retention():
		return fmt.Errorf("publish: the outbox deletes events after %v, but they may wait for the Publisher's Retention of %v: raise that of the outbox", kept, p.retention())
	}
	return nil
}

// Workers returns the Workers that Run runs, for [webhook.HealthHandler]. Set the fields of
// the Publisher before, and do not change those of the Workers. Whether the connection of Events
// works is for its own method to say, such as Ping of a consumer.
func (p *Publisher) Workers() []*webhook.Worker {
	p.prepare()
	return slices.Clone(p.workers[:])
}

// eventWorker returns the Worker that hands events to endpoints.
func (p *Publisher) eventWorker() *webhook.Worker {
	w := webhook.NewWorker(p.outbox, p.only(p.EventType()))
	if p.Events != nil {
		w = webhook.NewWorker(p.Events, &webhook.Mux{Default: webhook.HandlerFunc(p.queued)})
	}
	p.setUp(w)
	w.Logger = p.Logger
	return w
}

// deliveryWorker returns the Worker that sends.
func (p *Publisher) deliveryWorker() *webhook.Worker {
	w := webhook.NewWorker(p.outbox, p.only(p.deliveryType()))
	p.setUp(w)
	w.Timeout = p.timeout() + attemptMargin
	w.Logger = slog.New(workerLog{p.logger().Handler()})
	return w
}

// setUp sets what both Workers have in common. What was under way when processes were killed
// runs together: nothing in an event can end the process, and each endpoint that hangs would
// hold up all others for one Timeout. So a kill counts against all that runs, and MaxAttempts,
// which counts nothing else since the Schedule ends before, allows many.
func (p *Publisher) setUp(w *webhook.Worker) {
	w.MaxAttempts = maxTries + 10
	w.Concurrency, w.Lease, w.SuspectsRunTogether = p.concurrency(), p.Lease, true
}

// only returns the Publisher as a Handler of one of its types.
func (p *Publisher) only(typ string) webhook.Handler {
	var mux webhook.Mux
	mux.Route(typ, p)
	return &mux
}

// sweep deletes old attempts from time to time.
func (p *Publisher) sweep(ctx context.Context) {
	ticker := time.NewTicker(sweepInterval)
	defer ticker.Stop()
	for {
		p.sweepOnce(ctx)
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

func (p *Publisher) sweepOnce(ctx context.Context) {
	before := time.Now().Add(-p.retention())
	for ctx.Err() == nil {
		n, err := p.store.Sweep(ctx, before, sweepBatch)
		if err != nil && ctx.Err() == nil {
			p.faults.log(p.logger(), "old attempts cannot be deleted", err)
		}
		if err != nil || n < sweepBatch {
			return
		}
	}
}
