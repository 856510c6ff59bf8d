package rabbitmq

import (
	"context"
	"fmt"
	"sync"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/hookhouse/hookhouse/webhook"
)

// A sharedPing lets callers share one check that is under way.
type sharedPing struct {
	mu      sync.Mutex
	running *pingRun
	probed  *link // has taken a message of MaxMessage bytes
}

// A pingRun is a check. err is set when done is closed.
type pingRun struct {
	done chan struct{}
	err  error
}

// Ping returns nil if Handle would publish: the server answers, each queue and dead queue passes
// [Check], and the server does not lack memory or disk. If MaxMessage is set, Ping also sends a
// message of that size to no queue, once for each connection, and fails if the server
// refuses it; the error wraps [webhook.ErrTooLarge]. A queue that is full is not noticed, nor is a
// lack of memory or disk before a message of this connection was refused for it. Concurrent calls
// share one check. Ping returns when ctx ends.
func (p *Publisher) Ping(ctx context.Context) error {
	p.init()
	l, err := p.connector.get(ctx)
	if err != nil {
		return err
	}
	blocked := l.blockedSignal()
	select {
	case <-blocked:
		return l.blockedError()
	default:
	}
	run := p.pings.join(func() error {
		if !l.begin() { // which limits how long the server may not answer
			return errNotSent
		}
		defer l.answered()
		return p.check(l)
	})
	select {
	case <-blocked:
		return l.blockedError()
	case <-run.done:
		return run.err
	case <-l.down:
		return l.downError()
	case <-ctx.Done():
		return fmt.Errorf("rabbitmq: the server does not answer: %w", ctx.Err())
	}
}

// join returns the check under way, or begins one. It ends with its connection at the latest.
func (s *sharedPing) join(check func() error) *pingRun {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running != nil {
		return s.running
	}
	run := &pingRun{done: make(chan struct{})}
	s.running = run
	go func() {
		run.err = check()
		s.mu.Lock()
		defer s.mu.Unlock()
		s.running = nil
		close(run.done)
	}()
	return run
}

func (p *Publisher) check(l *link) error {
	if err := checkQueues(l.conn, p.queues); err != nil {
		return err
	}
	p.pings.mu.Lock()
	probed := p.pings.probed == l
	p.pings.mu.Unlock()
	if p.MaxMessage <= 0 || probed {
		return nil
	}
	if err := p.probeSize(l); err != nil {
		return err
	}
	p.pings.mu.Lock()
	defer p.pings.mu.Unlock()
	p.pings.probed = l
	return nil
}

// probeSize sends a message of MaxMessage bytes that no queue gets. The server compares its size
// first, and then drops it.
func (p *Publisher) probeSize(l *link) error {
	ch, err := l.conn.Channel()
	if err != nil {
		return notConnected(err)
	}
	defer ch.Close()
	closes := ch.NotifyClose(make(chan *amqp.Error, 1))
	if err := ch.Confirm(false); err != nil {
		return notConnected(err)
	}
	confirmation, err := ch.PublishWithDeferredConfirm("", p.queue+".size-probe", false, false, amqp.Publishing{Body: make([]byte, p.MaxMessage)})
	if err != nil {
		return notConnected(err)
	}
	if confirmation.Wait() {
		return nil
	}
	refusal := <-closes
	if refusal == nil {
		return fmt.Errorf("%w: while the size was checked", ErrConnection)
	}
	limit, ok := p.limit.learn(refusal)
	if !ok {
		return fmt.Errorf("rabbitmq: a message of MaxMessage, %d bytes, is refused: %w", p.MaxMessage, refusal)
	}
	return fmt.Errorf("%w: rabbitmq: MaxMessage is %d bytes, and the limit of the server is %d", webhook.ErrTooLarge, p.MaxMessage, limit)
}
