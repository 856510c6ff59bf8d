package main

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"log"
	"log/slog"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	hub "github.com/google/go-containerregistry/pkg/registry"
	"github.com/stretchr/testify/require"

	"github.com/hookhouse/hookhouse/dockerhub"
	"github.com/hookhouse/hookhouse/webhook"
)

// A plan is a strategy that does what a test says.
type plan struct {
	right   func(context.Context) error // of recover
	changed func(context.Context) error // of replace
}

func (p plan) recover(ctx context.Context, _ string, _ bool) error { return p.right(ctx) }
func (p plan) replace(ctx context.Context, _ job) (bool, error)    { return true, p.changed(ctx) }

func TestWhatIsNotTriedAgainIsNotWantedAnyMore(t *testing.T) {
	t.Parallel()
	well := func(context.Context) error { return nil }
	broken := func(context.Context) error { return errors.New("daemon is not there") }
	hangs := func(ctx context.Context) error { <-ctx.Done(); return context.Cause(ctx) }
	for name, test := range map[string]struct {
		plan     plan
		attempts int
		timeout  time.Duration
		wanted   dockerhub.Tag
	}{
		"the last attempt fails":                   {plan{well, broken}, 1, time.Minute, ""},
		"the last attempt cannot put things right": {plan{broken, well}, 1, time.Minute, ""},
		"the last attempt takes too long":          {plan{well, hangs}, 1, 500 * time.Millisecond, ""},
		"it is tried again":                        {plan{broken, well}, 2, time.Minute, "1.5.0"},
		"it succeeds":                              {plan{well, well}, 1, time.Minute, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inbox, err := openStore(t.Context(), filepath.Join(t.TempDir(), "test.db"))
			require.NoError(t, err)
			defer inbox.close()
			ledger, err := openLedger(t.Context(), inbox)
			require.NoError(t, err)
			images := httptest.NewServer(hub.New(hub.Logger(log.New(io.Discard, "", 0))))
			defer images.Close()
			h := &host{t: t, registry: images}
			h.push("1.5.0", app{})
			reg, err := newRegistry(strings.TrimPrefix(images.URL, "http://"), func(string) string { return "" })
			require.NoError(t, err)
			rs := make(rules)
			require.NoError(t, rs.add("acme/app:^1.4=web"))
			d := &deployer{rules: rs, registry: reg, inbox: inbox, ledger: ledger, strategy: test.plan, patience: time.Minute,
				log: slog.New(slog.DiscardHandler), count: func(string, string) {}}

			tx, err := inbox.db.BeginTx(t.Context(), &sql.TxOptions{})
			require.NoError(t, err)
			_, err = ledger.want(t.Context(), tx, rs["web"], release{"1.5.0", time.Now()})
			require.NoError(t, err)
			require.NoError(t, tx.Commit())
			o := webhook.NewDelivery("deploy", order{}.EventType(), "web", []byte(`{"target":"web"}`))
			require.NoError(t, inbox.Put(t.Context(), o))

			var mux webhook.Mux
			webhook.On(&mux, d.deploy)
			ctx, stop := context.WithCancel(t.Context())
			worker := webhook.NewWorker(inbox, &mux)
			worker.MaxAttempts, worker.Timeout, worker.Logger = test.attempts, test.timeout, d.log
			worker.Retry = webhook.Backoff{First: time.Hour, Max: time.Hour}
			worker.Observer = &webhook.Observer{Settled: func(webhook.Claim, webhook.Outcome, time.Duration) { stop() }}
			require.NoError(t, worker.Run(ctx))
			e, err := ledger.read(t.Context(), "web")
			require.NoError(t, err)
			require.Equal(t, test.wanted, e.wanted.tag)
		})
	}
}

func TestADeployThatHangsDoesNotKeepTheProgramFromItsEnd(t *testing.T) {
	t.Parallel()
	d := &deployer{patience: time.Millisecond, log: slog.New(slog.DiscardHandler)}
	d.active.Add(1) // and never done
	d.wait()
}
