package dbtest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"

	"github.com/hookhouse/hookhouse/internal/dbtest/ledger"
	"github.com/hookhouse/hookhouse/internal/dbtest/postgres"
	"github.com/hookhouse/hookhouse/internal/dbtest/wait"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// A spoolAccount is the ledger of the senders, and of what was handled. It is a
// Handler, and safe for concurrent use.
type spoolAccount struct {
	mu           sync.Mutex
	book         ledger.Book[struct{}]
	acknowledged int
	unhandled    int  // acknowledged and not handled yet
	refused      int  // calls that were not acknowledged
	lost         int  // claims
	away         bool // the primary is
}

func newSpoolAccount() *spoolAccount { return &spoolAccount{book: ledger.NewBook[struct{}]()} }

// Handle notes what the primary gave to its worker.
func (a *spoolAccount) Handle(_ context.Context, d *webhook.Delivery) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	e := a.book.Entry(d.ID)
	if e == nil {
		return webhook.Permanent(fmt.Errorf("nobody sent %q", d.ID))
	}
	if a.book.Begin(e); e.Runs == 1 && e.Acknowledged() {
		a.unhandled--
	}
	a.book.Handle(e)
	return nil
}

const (
	// spoolKeys are shared by all senders.
	spoolKeys = 24
	// maxUnhandled is how many acknowledged deliveries may wait before the senders
	// pause. While the primary is away it is twice as many.
	maxUnhandled = 200
)

// send starts twelve senders. Stop returns when the last event of each is
// acknowledged.
func (a *spoolAccount) send(t *testing.T, url func() string) (stop func()) {
	var all sync.WaitGroup
	ctx, cancel := context.WithCancel(t.Context())
	for i := range 12 {
		rng := rand.New(rand.NewPCG(uint64(i), 0))
		all.Go(func() {
			for n := 0; a.mayGoOn(ctx); n++ {
				id := fmt.Sprintf("event-%d-%05d", i, n)
				key := fmt.Sprint("key", rng.IntN(spoolKeys))
				header := http.Header{"X-Id": {id}, "X-Key": {key}}
				a.began(id, key)
				for t.Context().Err() == nil {
					_, err := post(t.Context(), url(), `{}`, header)
					if a.answered(id, err) {
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

// mayGoOn waits while too many are unhandled. It reports false when ctx ends.
func (a *spoolAccount) mayGoOn(ctx context.Context) bool {
	err := wait.Until(ctx, "few deliveries are unhandled", func() bool { return !a.isFull() })
	return err == nil && ctx.Err() == nil
}

func (a *spoolAccount) began(id, key string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.book.Send(id, key)
}

func (a *spoolAccount) answered(id string, err error) (acknowledged bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err != nil {
		a.refused++
		return false
	}
	e := a.book.Entry(id)
	a.book.Acknowledge(e)
	a.acknowledged++
	if e.Runs == 0 {
		a.unhandled++
	}
	return true
}

// loseClaim counts a claim that was lost when its worker settled it.
func (a *spoolAccount) loseClaim() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.lost++
}

func (a *spoolAccount) acknowledgements() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.acknowledged
}

// waiting is how many are acknowledged and not handled.
func (a *spoolAccount) waiting() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.unhandled
}

// isFull reports whether the senders must pause.
func (a *spoolAccount) isFull() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.away {
		return a.unhandled >= 2*maxUnhandled
	}
	return a.unhandled >= maxUnhandled
}

// without kills the primary's server, calls meanwhile, waits until some deliveries
// are acknowledged without it, and starts it again.
func (a *spoolAccount) withoutPrimary(t *testing.T, server *postgres.Server, meanwhile func()) {
	t.Helper()
	must(t, server.Kill())
	a.setAway(true)
	meanwhile()
	goal := a.acknowledgements() + 40
	waitFor(t, "deliveries are acknowledged without the primary", func() bool { return a.acknowledgements() >= goal })
	must(t, server.Restart(t.Context()))
	a.setAway(false)
}

func (a *spoolAccount) setAway(away bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.away = away
}

// check compares the account with its promises and with the primary.
func (a *spoolAccount) check(t *testing.T, primary *sqlinbox.Inbox) {
	t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, id := range a.book.Lost() {
		t.Errorf("%s was acknowledged and lost", id)
	}
	again := 0
	for e := range a.book.Entries() {
		again += max(e.Runs-1, 0)
	}
	if again > a.lost {
		t.Errorf("%d second runs, but only %d claims were lost", again, a.lost)
	}
	a.book.CheckOrder()
	for _, fault := range a.book.Faults {
		t.Error(fault)
	}
	stats, err := primary.Stats(t.Context())
	must(t, err)
	if stats.Count[webhook.Done] != a.book.Len() || len(stats.Count) != 1 {
		t.Errorf("the primary counts %v, the account %d done", stats.Count, a.book.Len())
	}
}

func (a *spoolAccount) String() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return fmt.Sprintf("%d acknowledged and handled in order, %d calls refused, %d claims lost", a.acknowledged, a.refused, a.lost)
}
