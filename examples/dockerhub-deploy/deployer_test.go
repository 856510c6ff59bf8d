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

	"github.com/hookhouse/hookhouse/dockerhub"
	"github.com/hookhouse/hookhouse/webhook"
)

// A fakeStrategy is a strategy whose methods call functions of the test.
type fakeStrategy struct {
	onRecover func(context.Context) error // implements recover
	onReplace func(context.Context) error // implements replace
}

func (p fakeStrategy) recover(ctx context.Context, _ string, _ bool) error { return p.onRecover(ctx) }
func (p fakeStrategy) replace(ctx context.Context, _ job) (bool, error) {
	return true, p.onReplace(ctx)
}

func TestReleaseIsWantedUntilLastAttempt(t *testing.T) {
	t.Parallel()
	succeed := func(context.Context) error { return nil }
	fail := func(context.Context) error { return errors.New("no daemon") }
	hang := func(ctx context.Context) error { <-ctx.Done(); return context.Cause(ctx) }
	for name, test := range map[string]struct {
		strategy fakeStrategy
		attempts int
		timeout  time.Duration
		wanted   dockerhub.Tag
	}{
		"the last attempt fails":          {fakeStrategy{succeed, fail}, 1, time.Minute, ""},
		"the last attempt cannot recover": {fakeStrategy{fail, succeed}, 1, time.Minute, ""},
		"the last attempt times out":      {fakeStrategy{succeed, hang}, 1, 500 * time.Millisecond, ""},
		"a retry follows":                 {fakeStrategy{fail, succeed}, 2, time.Minute, "1.5.0"},
		"success":                         {fakeStrategy{succeed, succeed}, 1, time.Minute, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inbox, err := openStore(t.Context(), filepath.Join(t.TempDir(), "test.db"))
			if err != nil {
				t.Fatal(err)
			}
			defer inbox.close()
			states, err := newStateStore(t.Context(), inbox)
			if err != nil {
				t.Fatal(err)
			}
			images := httptest.NewServer(hub.New(hub.Logger(log.New(io.Discard, "", 0))))
			defer images.Close()
			h := &host{t: t, registry: images}
			h.pushImage("1.5.0", app{})
			reg, err := newRegistry(strings.TrimPrefix(images.URL, "http://"), func(string) string { return "" })
			if err != nil {
				t.Fatal(err)
			}
			rs := make(rules)
			if err := rs.add("acme/app:^1.4=web"); err != nil {
				t.Fatal(err)
			}
			d := &deployer{rules: rs, registry: reg, inbox: inbox, states: states, strategy: test.strategy, recoverTimeout: time.Minute,
				log: slog.New(slog.DiscardHandler), onResult: func(string, string) {}}

			tx, err := inbox.db.BeginTx(t.Context(), &sql.TxOptions{})
			if err != nil {
				t.Fatal(err)
			}
			_, err = states.setWanted(t.Context(), tx, rs["web"], release{"1.5.0", time.Now()})
			if err != nil {
				t.Fatal(err)
			}
			if err := tx.Commit(); err != nil {
				t.Fatal(err)
			}
			o := webhook.NewDelivery("deploy", deployRequest{}.EventType(), "web", []byte(`{"target":"web"}`))
			if err := inbox.Put(t.Context(), o); err != nil {
				t.Fatal(err)
			}

			var mux webhook.Mux
			webhook.On(&mux, d.deploy)
			ctx, stop := context.WithCancel(t.Context())
			worker := webhook.NewWorker(inbox, &mux)
			worker.MaxAttempts, worker.Timeout, worker.Logger = test.attempts, test.timeout, d.log
			worker.Retry = webhook.Backoff{First: time.Hour, Max: time.Hour}
			worker.Observer = &webhook.Observer{Settled: func(context.Context, webhook.Claim, webhook.Outcome, time.Duration) { stop() }}
			if err := worker.Run(ctx); err != nil {
				t.Fatal(err)
			}
			e, err := states.read(t.Context(), "web")
			if err != nil {
				t.Fatal(err)
			}
			if e.wanted.tag != test.wanted {
				t.Fatalf("e.wanted.tag = %q, want %q", e.wanted.tag, test.wanted)
			}
		})
	}
}

func TestHangingDeploymentDoesNotBlockExit(t *testing.T) {
	t.Parallel()
	d := &deployer{recoverTimeout: time.Millisecond, log: slog.New(slog.DiscardHandler)}
	d.active.Add(1) // without Done
	d.waitActive()
}
