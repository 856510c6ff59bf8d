package spool_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/spool"
)

// A simulation is two inboxes, a process with a Spool between them that is stopped and
// killed, and senders that record their calls.
type simulation struct {
	primary, local *webhook.MemInbox

	mu        sync.Mutex
	rng       *rand.Rand
	failing   [2]float64 // share of the calls to primary and to local that fail
	faultless bool       // no call fails any more
	current   *process
	clock     int // increases with each event that has a time
	calls     map[string]*sent
	handled   map[string][]string // IDs by ordering key, in the order in which primary's Worker got them
}

// A sent is the times of an event: when its first call began, and when a call was
// acknowledged, or zero if none was.
type sent struct{ begun, acknowledged int }

// A process is a Spool from its start until it is stopped or killed.
type process struct {
	spool    *spool.Spool
	inboxes  [2]*faultyInbox
	calls    sync.WaitGroup
	stop     context.CancelFunc
	returned chan struct{} // closed when Run has returned
}

// randomFault returns the fault of one call: of primary if side is 0, of local if 1.
func (sim *simulation) randomFault(side int) fault {
	sim.mu.Lock()
	defer sim.mu.Unlock()
	if sim.faultless {
		return none
	}
	if sim.rng.Float64() < sim.failing[side] {
		return fault(1 + sim.rng.IntN(int(replyLate)))
	}
	if sim.rng.IntN(4) == 0 {
		return replyLate
	}
	return none
}

// upTo returns a random duration less than d.
func (sim *simulation) upTo(d time.Duration) time.Duration {
	sim.mu.Lock()
	defer sim.mu.Unlock()
	return time.Duration(sim.rng.Int64N(int64(d)))
}

// start starts a new process.
func (sim *simulation) start(t *testing.T) {
	p := &process{returned: make(chan struct{})}
	for side, in := range []*webhook.MemInbox{sim.primary, sim.local} {
		p.inboxes[side] = &faultyInbox{
			inbox: in,
			fault: func(string) fault { return sim.randomFault(side) },
			delay: func() time.Duration {
				if side == 1 || sim.upTo(4) > 0 {
					return sim.upTo(20 * time.Millisecond)
				}
				return sim.upTo(5 * time.Second)
			},
		}
	}
	p.spool = spool.New(webhook.Store(p.inboxes[0]), p.inboxes[1])
	p.spool.Logger = slog.New(slog.DiscardHandler)
	ctx, cancel := context.WithCancel(t.Context())
	p.stop = cancel
	go func() {
		defer close(p.returned)
		_ = p.spool.Run(ctx)
	}()
	sim.mu.Lock()
	defer sim.mu.Unlock()
	sim.current = p
}

// quit stops the process cleanly: it waits for the calls, and then for Run.
func (sim *simulation) quit() {
	sim.mu.Lock()
	p := sim.current
	sim.current = nil
	sim.mu.Unlock()
	p.calls.Wait()
	p.stop()
	<-p.returned
}

// kill ends the process at once. Its claims are not settled.
func (sim *simulation) kill() {
	sim.mu.Lock()
	p := sim.current
	sim.current = nil
	sim.mu.Unlock()
	for _, w := range p.inboxes {
		w.disconnect()
	}
	p.stop()
}

// call passes d to the Spool, as an HTTP call does, and reports whether it was
// acknowledged.
func (sim *simulation) call(ctx context.Context, d *webhook.Delivery) bool {
	sim.mu.Lock()
	p := sim.current
	sim.clock++
	if sim.calls[d.ID] == nil {
		sim.calls[d.ID] = &sent{begun: sim.clock}
	}
	if p != nil {
		p.calls.Add(1)
	}
	sim.mu.Unlock()
	if p == nil {
		return false
	}
	defer p.calls.Done()
	err := p.spool.Handle(ctx, d)
	if webhook.StatusCode(err) != http.StatusAccepted {
		return false
	}
	sim.mu.Lock()
	defer sim.mu.Unlock()
	sim.clock++
	sim.calls[d.ID].acknowledged = sim.clock
	return true
}

// send sends events of one ordering key until ctx is done, each up to three times.
func (sim *simulation) send(ctx context.Context, t *testing.T, key string, sender int) {
	for n := 0; ctx.Err() == nil; n++ {
		id := fmt.Sprintf("%s-%d-%04d", key, sender, n)
		for try := range 3 {
			d := &webhook.Delivery{
				UID: fmt.Sprintf("%s-%d", id, try), ID: id, Source: "alpha", Type: "alpha.event", OrderingKey: key, DedupKeys: []string{"id:" + id},
			}
			if sim.call(t.Context(), d) {
				break
			}
			<-time.After(sim.upTo(100 * time.Millisecond))
		}
		if sim.upTo(8) > 0 {
			<-time.After(sim.upTo(100 * time.Millisecond))
		} else {
			<-time.After(sim.upTo(time.Second)) // so that local can become empty
		}
	}
}

// disturb changes the shares of failing calls, and sometimes stops or kills the process
// and starts a new one.
func (sim *simulation) disturb(t *testing.T) {
	pick := func(shares ...float64) float64 { return shares[sim.upTo(time.Duration(len(shares)))] }
	primary, local := pick(0, 0, 0.1, 0.5, 1), pick(0, 0, 0.05, 0.2)
	sim.mu.Lock()
	sim.failing = [2]float64{primary, local}
	sim.mu.Unlock()
	switch sim.upTo(6) {
	case 0:
		sim.quit()
		sim.start(t)
	case 1:
		sim.kill()
		sim.start(t)
	}
}

// check compares the calls of the senders with the handled deliveries, and returns the
// number of acknowledged events.
func (sim *simulation) check(t *testing.T) (acknowledged int) {
	sim.mu.Lock()
	defer sim.mu.Unlock()
	position := make(map[string]int)
	for _, ids := range sim.handled {
		for i, id := range ids {
			if position[id] > 0 {
				t.Errorf("%s was handled twice", id)
			}
			position[id] = i + 1
		}
	}
	for id, e := range sim.calls {
		if e.acknowledged > 0 {
			acknowledged++
			if position[id] == 0 {
				t.Errorf("%s was acknowledged and lost", id)
			}
		}
	}
	for key, ids := range sim.handled {
		earliest := int(^uint(0) >> 1) // acknowledgement of the later ones
		for i := len(ids) - 1; i >= 0; i-- {
			e := sim.calls[ids[i]]
			if e.begun > earliest {
				t.Errorf("%s: %s was handled before one that was acknowledged before it arrived", key, ids[i])
			}
			if e.acknowledged > 0 {
				earliest = min(earliest, e.acknowledged)
			}
		}
	}
	return acknowledged
}
