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

// A house is two inboxes that outlive the processes before them, and the
// ledger of the senders.
type house struct {
	primary, local *webhook.MemInbox

	mu      sync.Mutex
	rng     *rand.Rand
	bad     [2]float64 // share of the calls to primary and to local that go wrong
	healed  bool       // nothing goes wrong any more
	current *process
	clock   int
	calls   map[string]*sent
	handled map[string][]string // IDs by ordering key, as primary gave them
}

// sent is one event: when its first call began, and when one was acknowledged.
type sent struct{ begun, acknowledged int }

// A process is one Spool from its start until it is stopped or killed.
type process struct {
	spool   *spool.Spool
	inboxes [2]*faultyInbox
	calls   sync.WaitGroup
	stop    context.CancelFunc
	ended   chan struct{}
}

func (h *house) draw(side int) fault {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.healed {
		return none
	}
	if h.rng.Float64() < h.bad[side] {
		return fault(1 + h.rng.IntN(int(replyLate)))
	}
	if h.rng.IntN(4) == 0 {
		return replyLate
	}
	return none
}

func (h *house) upTo(d time.Duration) time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	return time.Duration(h.rng.Int64N(int64(d)))
}

func (h *house) start(t *testing.T) {
	p := &process{ended: make(chan struct{})}
	for side, in := range []*webhook.MemInbox{h.primary, h.local} {
		p.inboxes[side] = &faultyInbox{
			inbox: in,
			fault: func(string) fault { return h.draw(side) },
			delay: func() time.Duration {
				if side == 1 || h.upTo(4) > 0 {
					return h.upTo(20 * time.Millisecond)
				}
				return h.upTo(5 * time.Second)
			},
		}
	}
	p.spool = spool.New(webhook.Store(p.inboxes[0]), p.inboxes[1])
	p.spool.Logger = slog.New(slog.DiscardHandler)
	ctx, cancel := context.WithCancel(t.Context())
	p.stop = cancel
	go func() {
		defer close(p.ended)
		_ = p.spool.Run(ctx)
	}()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.current = p
}

// quit stops the process in order: no more calls, then Run.
func (h *house) quit() {
	h.mu.Lock()
	p := h.current
	h.current = nil
	h.mu.Unlock()
	p.calls.Wait()
	p.stop()
	<-p.ended
}

// kill ends the process at once, whatever it does. Its claims stay.
func (h *house) kill() {
	h.mu.Lock()
	p := h.current
	h.current = nil
	h.mu.Unlock()
	for _, w := range p.inboxes {
		w.disconnect()
	}
	p.stop()
}

// call is one HTTP call, and whether it was acknowledged.
func (h *house) call(ctx context.Context, d *webhook.Delivery) bool {
	h.mu.Lock()
	p := h.current
	h.clock++
	if h.calls[d.ID] == nil {
		h.calls[d.ID] = &sent{begun: h.clock}
	}
	if p != nil {
		p.calls.Add(1)
	}
	h.mu.Unlock()
	if p == nil {
		return false
	}
	defer p.calls.Done()
	err := p.spool.Handle(ctx, d)
	if webhook.StatusCode(err) != http.StatusAccepted {
		return false
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.clock++
	h.calls[d.ID].acknowledged = h.clock
	return true
}

// send sends events of one ordering key until ctx ends, each up to three times.
func (h *house) send(ctx context.Context, t *testing.T, key string, sender int) {
	for n := 0; ctx.Err() == nil; n++ {
		id := fmt.Sprintf("%s-%d-%04d", key, sender, n)
		for try := range 3 {
			d := &webhook.Delivery{
				UID: fmt.Sprintf("%s-%d", id, try), ID: id, Source: "alpha", Type: "alpha.event", OrderingKey: key, DedupKeys: []string{"id:" + id},
			}
			if h.call(t.Context(), d) {
				break
			}
			<-time.After(h.upTo(100 * time.Millisecond))
		}
		if h.upTo(8) > 0 {
			<-time.After(h.upTo(100 * time.Millisecond))
		} else {
			<-time.After(h.upTo(time.Second)) // so that local runs empty
		}
	}
}

// disturb does one thing at random to one side.
func (h *house) disturb(t *testing.T) {
	pick := func(shares ...float64) float64 { return shares[h.upTo(time.Duration(len(shares)))] }
	primary, local := pick(0, 0, 0.1, 0.5, 1), pick(0, 0, 0.05, 0.2)
	h.mu.Lock()
	h.bad = [2]float64{primary, local}
	h.mu.Unlock()
	switch h.upTo(6) {
	case 0:
		h.quit()
		h.start(t)
	case 1:
		h.kill()
		h.start(t)
	}
}

// check compares the senders' ledger with what primary gave.
func (h *house) check(t *testing.T) (acknowledged int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	place := make(map[string]int)
	for _, ids := range h.handled {
		for i, id := range ids {
			if place[id] > 0 {
				t.Errorf("%s was handled twice", id)
			}
			place[id] = i + 1
		}
	}
	for id, s := range h.calls {
		if s.acknowledged > 0 {
			acknowledged++
			if place[id] == 0 {
				t.Errorf("%s was acknowledged and lost", id)
			}
		}
	}
	for key, ids := range h.handled {
		earliest := int(^uint(0) >> 1) // acknowledgement of those behind
		for i := len(ids) - 1; i >= 0; i-- {
			s := h.calls[ids[i]]
			if s.begun > earliest {
				t.Errorf("%s: %s came before one that was acknowledged before it arrived", key, ids[i])
			}
			if s.acknowledged > 0 {
				earliest = min(earliest, s.acknowledged)
			}
		}
	}
	return acknowledged
}
