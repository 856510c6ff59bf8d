package dbtest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/internal/dbtest/postgres"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// A spoolBook is the ledger of the senders, and of what was handled. It is a
// Handler, and safe for concurrent use.
type spoolBook struct {
	mu           sync.Mutex
	clock        int
	events       map[string]*spooled // by the sender's id
	handled      map[string][]string // ids by ordering key, in order
	acknowledged int
	open         int  // acknowledged and not handled yet
	refused      int  // calls that were not acknowledged
	lost         int  // claims
	away         bool // the primary is
}

// A spooled event is sent until it is acknowledged.
type spooled struct {
	begun, acknowledged int // by the book's clock
	runs                int
}

func newSpoolBook() *spoolBook {
	return &spoolBook{events: make(map[string]*spooled), handled: make(map[string][]string)}
}

// Handle writes down what the primary gave.
func (b *spoolBook) Handle(_ context.Context, d *webhook.Delivery) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	e := b.events[d.ID]
	if e == nil {
		return webhook.Permanent(fmt.Errorf("nobody sent %q", d.ID))
	}
	e.runs++
	if e.runs == 1 && e.acknowledged > 0 {
		b.open--
	}
	b.handled[d.OrderingKey] = append(b.handled[d.OrderingKey], d.ID)
	return nil
}

const (
	// spoolKeys are shared by all senders.
	spoolKeys = 24
	// mostOwed is how many acknowledged ones may wait to be handled before the
	// senders pause; while the primary is away, twice as many.
	mostOwed = 200
)

// send starts twelve senders. Stop returns when each has had its last event
// acknowledged.
func (b *spoolBook) send(t *testing.T, address func() string) (stop func()) {
	var all sync.WaitGroup
	ctx, cancel := context.WithCancel(t.Context())
	for i := range 12 {
		rng := rand.New(rand.NewPCG(uint64(i), 0))
		all.Go(func() {
			for n := 0; b.mayGoOn(ctx); n++ {
				id := fmt.Sprintf("event-%d-%05d", i, n)
				header := http.Header{"X-Id": {id}, "X-Key": {fmt.Sprint("key", rng.IntN(spoolKeys))}}
				b.began(id)
				for t.Context().Err() == nil {
					_, err := call(t.Context(), address(), `{}`, header)
					if b.answered(id, err) {
						break
					}
				}
			}
		})
	}
	return func() {
		cancel()
		all.Wait()
	}
}

// mayGoOn waits while too many are owed, and reports whether ctx goes on.
func (b *spoolBook) mayGoOn(ctx context.Context) bool {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for b.isFull() {
		select {
		case <-ctx.Done():
			return false
		case <-tick.C:
		}
	}
	return ctx.Err() == nil
}

func (b *spoolBook) began(id string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.clock++
	b.events[id] = &spooled{begun: b.clock}
}

func (b *spoolBook) answered(id string, err error) (acknowledged bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err != nil {
		b.refused++
		return false
	}
	b.clock++
	e := b.events[id]
	e.acknowledged = b.clock
	b.acknowledged++
	if e.runs == 0 {
		b.open++
	}
	return true
}

// lose counts a claim that was not held when its worker settled it.
func (b *spoolBook) lose() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lost++
}

func (b *spoolBook) acknowledgements() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.acknowledged
}

// owed is how many are acknowledged and not handled.
func (b *spoolBook) owed() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.open
}

// isFull reports whether the senders shall pause.
func (b *spoolBook) isFull() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.away {
		return b.open >= 2*mostOwed
	}
	return b.open >= mostOwed
}

// without kills the primary's server, calls meanwhile, waits until some were
// acknowledged without it, and starts it again.
func (b *spoolBook) without(t *testing.T, server *postgres.Server, meanwhile func()) {
	t.Helper()
	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	b.setAway(true)
	meanwhile()
	goal := b.acknowledgements() + 40
	waitFor(t, "some were acknowledged without the primary", func() bool { return b.acknowledgements() >= goal })
	if err := server.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.setAway(false)
}

func (b *spoolBook) setAway(away bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.away = away
}

// check compares the book with itself and with the primary.
func (b *spoolBook) check(t *testing.T, primary *sqlinbox.Inbox) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	again := 0
	for id, e := range b.events {
		if e.acknowledged > 0 && e.runs == 0 {
			t.Errorf("%s was acknowledged and lost", id)
		}
		again += max(e.runs-1, 0)
	}
	if again > b.lost {
		t.Errorf("%d second runs, but only %d claims were lost", again, b.lost)
	}
	for key, ids := range b.handled {
		earliest := b.clock // acknowledgement of those that were handled later
		for _, id := range slices.Backward(ids) {
			e := b.events[id]
			if e.begun > earliest {
				t.Errorf("%s: %s came before one that was acknowledged before it arrived", key, id)
			}
			earliest = min(earliest, e.acknowledged)
		}
	}
	stats, err := primary.Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if stats.Count[webhook.Done] != len(b.events) || len(stats.Count) != 1 {
		t.Errorf("the primary counts %v, the book %d done", stats.Count, len(b.events))
	}
}

func (b *spoolBook) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return fmt.Sprintf("%d acknowledged and handled in order, %d calls refused, %d claims lost", b.acknowledged, b.refused, b.lost)
}
