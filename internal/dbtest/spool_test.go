package dbtest

import (
	"context"
	"flag"
	"log/slog"
	"math/rand/v2"
	"testing"
	"time"

	databases "github.com/hookhouse/hookhouse/internal/dbtest/engine"
	"github.com/hookhouse/hookhouse/internal/dbtest/postgres"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

var rounds = flag.Int("rounds", 8, "number of times that a side of the spool is killed or stopped")

// The primary inbox is PostgreSQL. The local one is SQLite, used by a receiver in a
// process of its own. Both are killed and started again while senders call.
func TestSpoolLosesNothingAndKeepsOrderIfEitherSideIsKilled(t *testing.T) {
	onPostgres(t)
	server, err := postgres.Start(t.Context()) // one that may be killed
	must(t, err)
	t.Cleanup(server.Stop)
	config := receiverConfig{Primary: databases.Store{Driver: "pgx", DSN: server.DSN()}, Local: modernc.NewStore(t)}
	primary, _ := config.Primary.Inbox(t)
	receiver := &spoolReceiver{config: config}
	receiver.start(t)
	t.Cleanup(receiver.kill)

	account := newSpoolAccount()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	w := webhook.NewWorker(primary, account)
	w.Lease, w.PollInterval, w.Logger = 5*time.Second, 20*time.Millisecond, slog.New(slog.DiscardHandler)
	w.Observer = &webhook.Observer{Lost: func(context.Context, webhook.Claim) { account.loseClaim() }}
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()

	stopSenders := account.send(t, receiver.url)
	rng := rand.New(rand.NewPCG(7, 0))
	kinds := map[string]int{}
	for round := range *rounds {
		goal := account.acknowledgements() + 40 + rng.IntN(120)
		waitFor(t, "more deliveries are acknowledged", func() bool { return account.acknowledgements() >= goal })
		what := []string{"primary killed", "receiver killed", "primary and receiver killed", "receiver stopped"}[round%4]
		kinds[what]++
		switch what {
		case "primary killed":
			account.withoutPrimary(t, server, func() {})
		case "receiver killed":
			receiver.kill()
			receiver.start(t)
		case "primary and receiver killed":
			account.withoutPrimary(t, server, func() {
				receiver.kill()
				receiver.start(t)
			})
		case "receiver stopped":
			receiver.stop(t)
			receiver.start(t)
		}
	}
	stopSenders()
	waitFor(t, "all acknowledged deliveries are handled", func() bool { return account.waiting() == 0 })
	receiver.stop(t)
	checkLocal(t, config.Local)
	waitFor(t, "the primary is drained", func() bool {
		n, err := primary.Pending(t.Context(), 1)
		return err == nil && n == 0
	})
	cancel()
	wantNil(t, <-done)
	account.check(t, primary)
	t.Logf("spool: %v; %v", account, kinds)
}

// checkLocal fails unless everything in a local inbox is done.
func checkLocal(t *testing.T, local databases.Store) {
	t.Helper()
	in := sqlinbox.New(local.DB(t), local.Dialect())
	defer in.Close()
	stats, err := in.Stats(t.Context())
	must(t, err)
	for state, n := range stats.Count {
		if state != webhook.Done {
			t.Errorf("%d deliveries in the local inbox are %s", n, state)
		}
	}
	if stats.Count[webhook.Done] == 0 {
		t.Error("no delivery went through the local inbox")
	}
}
