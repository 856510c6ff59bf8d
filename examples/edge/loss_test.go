package main

import (
	"sync"
	"testing"

	"github.com/hookhouse/hookhouse/webhook/rabbitmq"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// A part that is killed with kill -9, and started again, loses nothing. Only a worker that is
// killed while it handles a delivery leaves it to be handled again.
func TestKilledPartLosesNothing(t *testing.T) {
	if rabbit == nil {
		return
	}
	t.Parallel()
	for _, killed := range []string{"-work", "-edge", "-relay"} { // the first one waits for a lease
		t.Run(killed, func(t *testing.T) {
			t.Parallel()
			c := newChain(t)
			parts := make(map[string]*process)
			for _, part := range []string{"-work", "-relay", "-edge"} {
				parts[part] = c.start(part)
			}
			var sending sync.WaitGroup
			var ids [branches][]string
			sending.Go(func() {
				ids = c.send(25, func(r webhooktest.Result) {
					if killed != "-edge" {
						c.mustAccept(r)
					}
				})
			})
			kills := 2
			if killed == "-work" {
				kills = 1 // what it was handling waits for a lease
			}
			for n := range kills {
				eventually(t, "some deliveries", func() bool { return len(c.count()) > 20*(n+1) })
				parts[killed].kill(t)
				parts[killed] = c.start(killed)
			}
			sending.Wait()
			c.requireHandled(ids, killed != "-work")
			for _, p := range parts {
				p.stop(t)
			}
		})
	}
}

// While RabbitMQ is away, senders are not refused, and an edge can start.
func TestNothingIsLostWhileRabbitMQIsAway(t *testing.T) {
	if rabbit == nil {
		return
	}
	c := newChain(t)
	worker, relay, edge := c.start("-work"), c.start("-relay"), c.start("-edge")
	before := c.send(2, c.mustAccept)
	for _, queue := range rabbitmq.Queues(c.queue, 2) {
		eventually(t, "a file that names "+queue, func() bool { return rabbit.remembers(queue) && rabbit.remembers(rabbitmq.DeadQueue(queue)) })
	}
	if err := rabbit.kill(); err != nil {
		t.Fatal(err)
	}
	away := c.send(3, c.mustAccept)
	requireStatus(t, relay.admin+"/healthz", 503)
	requireStatus(t, edge.admin+"/healthz", 200) // it accepts calls
	edge.kill(t)
	edge = c.start("-edge")
	later := c.send(2, c.mustAccept)
	if err := rabbit.restart(); err != nil {
		t.Fatal(err)
	}
	c.requireHandled(joined(before, away, later, c.send(2, c.mustAccept)), true)
	requireStatus(t, relay.admin+"/healthz", 200)
	for _, p := range []*process{edge, relay, worker} {
		p.stop(t)
	}
}

// While PostgreSQL is away, RabbitMQ keeps what the edge accepts.
func TestNothingIsLostWhilePostgreSQLIsAway(t *testing.T) {
	if rabbit == nil {
		return
	}
	t.Parallel()
	c := newChain(t)
	worker, relay, edge := c.start("-work"), c.start("-relay"), c.start("-edge")
	before := c.send(2, c.mustAccept)
	c.requireHandled(before, true)
	c.database.setAway(true)
	away := c.send(3, c.mustAccept)
	for _, p := range []*process{relay, worker} {
		requireStatus(t, p.admin+"/healthz", 503)
	}
	requireStatus(t, edge.admin+"/healthz", 200)
	c.database.setAway(false)
	c.requireHandled(joined(before, away, c.send(2, c.mustAccept)), true)
	for _, p := range []*process{edge, relay, worker} {
		p.stop(t)
	}
}

// joined returns the ids of several sends, in their order.
func joined(sends ...[branches][]string) (all [branches][]string) {
	for _, ids := range sends {
		for b := range ids {
			all[b] = append(all[b], ids[b]...)
		}
	}
	return all
}
