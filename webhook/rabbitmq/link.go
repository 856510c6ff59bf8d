package rabbitmq

import (
	"cmp"
	"fmt"
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// stallTimeout is how long a server may leave published messages without any answer. Then the
// connection is given up and another one made.
const stallTimeout = 10 * time.Second

// A link is a connection with the channels on which its queues are published to.
type link struct {
	conn     *amqp.Connection
	channels map[string]*channelPool // by queue
	down     chan struct{}           // closed when the connection is given up
	idle     chan struct{}           // closed when a retired link has no message in flight

	mu       sync.Mutex
	err      error         // why it is down
	retired  bool          // takes no more messages
	inFlight int           // messages and requests without an answer
	quiet    time.Time     // since when there was no answer while some were in flight
	blocked  string        // why the server reads nothing; empty if it does
	blocking chan struct{} // closed while blocked is not empty
}

// newLink opens channels for each queue on a connection.
func newLink(conn *amqp.Connection, queues []string, channels int) (*link, error) {
	l := &link{conn: conn, channels: make(map[string]*channelPool), down: make(chan struct{}), idle: make(chan struct{}), blocking: make(chan struct{})}
	closes := conn.NotifyClose(make(chan *amqp.Error, 1))
	go l.watchBlocked(conn.NotifyBlocked(make(chan amqp.Blocking)))
	for _, queue := range queues {
		pool, err := newChannelPool(l, queue, channels)
		if err != nil {
			return nil, err
		}
		l.channels[queue] = pool
	}
	go l.watch(closes)
	return l, nil
}

// watch gives the link up when the connection ends, or when the server answers nothing.
func (l *link) watch(closes <-chan *amqp.Error) {
	stall := stallTimeout
	// The library gives a connection up after three intervals. It then waits for a write
	// that the server does not read. So this is sooner.
	if beat := l.conn.Config.Heartbeat; beat > 0 {
		stall = min(stall, 2*beat)
	}
	tick := time.NewTicker(stall / 4)
	defer tick.Stop()
	for {
		select {
		case err := <-closes:
			if err == nil {
				l.fail(amqp.ErrClosed)
			} else {
				l.fail(err)
			}
			return
		case <-l.down:
			return
		case <-tick.C:
			if l.stalled(stall) {
				l.fail(fmt.Errorf("the server has answered nothing for %v", stall))
				return
			}
		}
	}
}

func (l *link) stalled(after time.Duration) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.inFlight > 0 && time.Since(l.quiet) > after && l.blocked == ""
}

// watchBlocked notes whether the server reads what is sent. It does not while it is short of
// memory or disk.
func (l *link) watchBlocked(changes <-chan amqp.Blocking) {
	for change := range changes {
		l.mu.Lock()
		switch was := l.blocked != ""; {
		case change.Active && !was:
			l.blocked = cmp.Or(change.Reason, "no reason given")
			close(l.blocking)
		case !change.Active && was:
			l.blocked, l.blocking, l.quiet = "", make(chan struct{}), time.Now()
		}
		l.mu.Unlock()
	}
}

// blockedSignal returns a channel that is closed when the server reads nothing.
func (l *link) blockedSignal() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.blocking
}

// blockedError says why the server reads nothing.
func (l *link) blockedError() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return fmt.Errorf("rabbitmq: the server takes no messages: %s", cmp.Or(l.blocked, "it did not for a while"))
}

// fail gives the link up. Later calls do nothing.
func (l *link) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return
	}
	l.err = fmt.Errorf("%w: the connection was lost: %w", ErrConnection, err)
	close(l.down)
	go closeSoon(l.conn)
}

// retire lets the messages in flight finish and sends no more. The server has closed a channel.
func (l *link) retire(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.retired || l.err != nil {
		return
	}
	l.retired = true
	if l.inFlight == 0 {
		close(l.idle)
	}
	go func() {
		timer := time.NewTimer(stallTimeout)
		defer timer.Stop()
		select {
		case <-l.idle:
		case <-l.down:
		case <-timer.C:
		}
		l.fail(err)
	}()
}

// usable reports whether the link takes messages.
func (l *link) usable() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return !l.retired && l.err == nil
}

// downError returns why the link is down.
func (l *link) downError() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// begin notes that a message is sent. It reports false if the link takes no more.
func (l *link) begin() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.retired || l.err != nil {
		return false
	}
	if l.inFlight++; l.inFlight == 1 {
		l.quiet = time.Now()
	}
	return true
}

// answered notes that the server has answered one.
func (l *link) answered() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.inFlight--
	l.quiet = time.Now()
	if l.retired && l.inFlight == 0 {
		close(l.idle)
	}
}
