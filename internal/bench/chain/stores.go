package chain

import (
	"context"
	"errors"
	"slices"

	"github.com/hookhouse/hookhouse/internal/bench/env"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/rabbitmq"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// Stores are the empty stores of one run. It is not safe for concurrent use.
type stores struct {
	env     *env.Env
	closers []func() error
}

// close closes and removes them, the last one first.
func (s *stores) close() (err error) {
	for _, f := range slices.Backward(s.closers) {
		err = errors.Join(err, f())
	}
	return err
}

func (s *stores) inbox(ctx context.Context, b env.Backend) (*sqlinbox.Inbox, error) {
	at, remove, err := s.env.Make(ctx, b)
	if err != nil {
		return nil, err
	}
	s.closers = append(s.closers, remove)
	store, err := b.Open(ctx, at)
	if err != nil {
		return nil, err
	}
	s.closers = append(s.closers, store.Close)
	return store.Inbox, nil
}

func (s *stores) queue(ctx context.Context) (env.Queue, error) {
	at, remove, err := s.env.Make(ctx, env.RabbitMQ)
	if err != nil {
		return env.Queue{}, err
	}
	s.closers = append(s.closers, remove)
	return env.QueueOf(at), nil
}

func (s *stores) publisher(q env.Queue) webhook.Handler {
	p := rabbitmq.NewPublisher(q.Dial, q.Name)
	s.closers = append(s.closers, p.Close)
	return p
}

// chain makes a queue, and an inbox on PostgreSQL that a Relay fills from it.
func (s *stores) chain(ctx context.Context) (publisher webhook.Handler, parts []part, in *sqlinbox.Inbox, err error) {
	q, err := s.queue(ctx)
	if err != nil {
		return nil, nil, nil, err
	}
	if in, err = s.inbox(ctx, env.PostgreSQL); err != nil {
		return nil, nil, nil, err
	}
	return s.publisher(q), relay(q, webhook.Store(in)), in, nil
}
