package lines

import (
	"context"
	"net"
	"net/http"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"

	"github.com/hookhouse/hookhouse/internal/bench/durable"
	"github.com/hookhouse/hookhouse/internal/bench/env"
	"github.com/hookhouse/hookhouse/internal/bench/env/envtest"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

const (
	secretText = "It's a Secret to Everybody"
	pushBody   = `{"ref":"refs/heads/main","after":"9f3c1d7","deleted":false,"commits":[],"repository":{"full_name":"acme/app"}}`
)

// services are the files, each with what runs it, or nil if it cannot run here.
var services = []struct {
	file  string
	serve func(t *testing.T) serve
}{
	{"hookhouse.go", func(*testing.T) serve {
		return func(ctx context.Context, l net.Listener, d deployer) error {
			return serveHookhouse(ctx, l, new(webhook.MemInbox), webhook.NewSecret(secretText), d)
		}
	}},
	{"gogithub.go", func(*testing.T) serve {
		return func(ctx context.Context, l net.Listener, d deployer) error {
			return serveGoGitHub(ctx, l, []byte(secretText), d)
		}
	}},
	{"playground.go", func(*testing.T) serve {
		return func(ctx context.Context, l net.Listener, d deployer) error {
			return servePlayground(ctx, l, secretText, d)
		}
	}},
	{"river.go", func(t *testing.T) serve {
		pool := openPool(t)
		if pool == nil {
			return nil
		}
		return func(ctx context.Context, l net.Listener, d deployer) error {
			return serveRiver(ctx, l, pool, []byte(secretText), d)
		}
	}},
}

type serve func(ctx context.Context, l net.Listener, deploy deployer) error

func TestMain(m *testing.M) { envtest.Main(m) }

// openPool returns a database with River's tables, or nil without PostgreSQL.
func openPool(t *testing.T) *pgxpool.Pool {
	if !envtest.Env.Has(env.PostgreSQL) {
		return nil
	}
	at, _, err := envtest.Env.Make(t.Context(), env.PostgreSQL)
	if err != nil {
		t.Fatal(err)
	}
	_, pool, err := durable.RiverPool(t.Context(), at, &river.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

func TestEveryServiceDeploysAGenuinePush(t *testing.T) {
	for _, s := range services {
		t.Run(s.file, func(t *testing.T) {
			serve := s.serve(t)
			if serve == nil {
				return
			}
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			ctx, stop := context.WithCancel(t.Context())
			deployed := make(chan string, 1)
			done := make(chan error, 1)
			go func() {
				done <- serve(ctx, listener, func(_ context.Context, branch, commit string) error {
					deployed <- branch + " " + commit
					return nil
				})
			}()
			url := "http://" + listener.Addr().String() + "/hooks/github"
			if got := deliver(t, url, "another"); got != http.StatusUnauthorized {
				t.Errorf("a forged call got %d", got)
			}
			if got := deliver(t, url, secretText); got != http.StatusAccepted {
				t.Errorf("a push got %d", got)
			}
			if got := <-deployed; got != "main 9f3c1d7" {
				t.Errorf("deployed %s", got)
			}
			stop()
			if err := <-done; err != nil {
				t.Errorf("ended with %v", err)
			}
		})
	}
}

func deliver(t *testing.T, url, secret string) int {
	t.Helper()
	sender := webhooktest.GitHub{Secret: webhook.NewSecret(secret)}
	return sender.Deliver(t.Context(), url, "push", []byte(pushBody)).Attempts[0].Status
}

func TestTheREADMECountsTheirLines(t *testing.T) {
	for _, s := range services {
		envtest.CountedInREADME(t, "internal/bench/lines", s.file)
	}
}
