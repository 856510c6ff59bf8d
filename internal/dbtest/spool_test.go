package dbtest

import (
	"context"
	"flag"
	"log/slog"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/internal/dbtest/postgres"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

var spoolRounds = flag.Int("rounds", 8, "how often a side of the spool is killed or stopped")

// The primary inbox is PostgreSQL, the local one SQLite beside a receiver in a
// process of its own. Both are killed and started again while senders call.
func TestSpoolStopAndStartOfEitherSideLosesNothingAndKeepsOrder(t *testing.T) {
	if theServer == nil {
		return // and TestMain said so
	}
	server, err := postgres.Start(t.Context()) // one that may be killed
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	primary, _ := onPostgres(server).reopen(t, "pgx", server.DSN())
	driver, local := modernc.store(t)
	side := &receiverSide{primary: server.DSN(), driver: driver, local: local}
	side.start(t)
	t.Cleanup(side.kill)

	book := newSpoolBook()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	w := webhook.NewWorker(primary, book)
	w.Lease, w.PollInterval, w.Logger = 5*time.Second, 20*time.Millisecond, slog.New(slog.DiscardHandler)
	w.Observer = &webhook.Observer{Lost: func(webhook.Claim) { book.lose() }}
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()

	stopSenders := book.send(t, side.address)
	rng := rand.New(rand.NewPCG(7, 0))
	told := map[string]int{}
	for round := range *spoolRounds {
		goal := book.acknowledgements() + 40 + rng.IntN(120)
		waitFor(t, "some more were acknowledged", func() bool { return book.acknowledgements() >= goal })
		what := []string{"primary killed", "receiver killed", "primary and receiver killed", "receiver stopped"}[round%4]
		told[what]++
		switch what {
		case "primary killed":
			book.without(t, server, func() {})
		case "receiver killed":
			side.kill()
			side.start(t)
		case "primary and receiver killed":
			book.without(t, server, func() {
				side.kill()
				side.start(t)
			})
		case "receiver stopped":
			side.stop(t)
			side.start(t)
		}
	}
	stopSenders()
	waitFor(t, "all that was acknowledged is handled", func() bool { return book.owed() == 0 })
	side.stop(t)
	empty(t, driver, local)
	waitFor(t, "the primary is worked off", func() bool {
		n, err := primary.Pending(t.Context(), 1)
		return err == nil && n == 0
	})
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	book.check(t, primary)
	t.Logf("spool: %v; %v", book, told)
}

// empty demands that nothing is unfinished in a local inbox, and nothing dead.
func empty(t *testing.T, driver, dsn string) {
	t.Helper()
	in := sqlinbox.New(openDB(t, driver, dsn), sqlinbox.SQLite)
	defer in.Close()
	stats, err := in.Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for state, n := range stats.Count {
		if state != webhook.Done {
			t.Errorf("%d deliveries in the local inbox are %s", n, state)
		}
	}
	if stats.Count[webhook.Done] == 0 {
		t.Error("nothing ever went through the local inbox")
	}
}
