package publishing

import (
	"context"
	"database/sql"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/riverqueue/river"
	svix "github.com/svix/svix-webhooks/go"

	"github.com/hookhouse/hookhouse/internal/bench/durable"
	"github.com/hookhouse/hookhouse/internal/bench/env"
	"github.com/hookhouse/hookhouse/internal/bench/env/envtest"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/publish"
	"github.com/hookhouse/hookhouse/webhook/publish/sqlstore"
)

// services are the files, each with the database it runs on and with what starts it for an
// endpoint, or nil if it is only compiled.
var services = []struct {
	file    string
	backend env.Backend
	start   func(t *testing.T, at string, to *receiver) serve
}{
	{"hookhouse.go", env.SQLite, startHookhouse(env.SQLite)},
	{"hookhouse.go", env.PostgreSQL, startHookhouse(env.PostgreSQL)},
	{"hookbound.go", env.PostgreSQL, nil},
	{"river.go", env.PostgreSQL, startRiver},
	{"svix.go", env.PostgreSQL, startSvix},
}

var _ = publishHookbound // compiled only

type serve func(ctx context.Context, l net.Listener) error

func TestMain(m *testing.M) { envtest.Main(m) }

func startHookhouse(b env.Backend) func(t *testing.T, at string, to *receiver) serve {
	return func(t *testing.T, at string, to *receiver) serve {
		store, err := b.Open(t.Context(), at)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = store.Close() })
		execute(t, store.DB, comments)
		endpoints := sqlstore.New(store.Inbox)
		endpoints.SealKeys = []webhook.Key{{Label: "1", Secret: webhook.NewSecret(secret)}}
		if err := endpoints.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		pub := publish.New(store.Inbox, endpoints)
		pub.Transport = http.DefaultTransport // the receiver is on this host
		pub.Logger = slog.New(slog.DiscardHandler)
		endpoint := publish.Endpoint{URL: to.URL, Events: []string{"*"}, Secrets: []publish.Secret{{Secret: webhook.NewSecret(secret)}}}
		if _, err := pub.Create(t.Context(), endpoint); err != nil {
			t.Fatal(err)
		}
		return func(ctx context.Context, l net.Listener) error { return publishComments(ctx, l, store.Inbox, pub) }
	}
}

func startRiver(t *testing.T, at string, to *receiver) serve {
	_, pool, err := durable.RiverPool(t.Context(), at, &river.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	if _, err := pool.Exec(t.Context(), comments); err != nil {
		t.Fatal(err)
	}
	return func(ctx context.Context, l net.Listener) error {
		return publishRiver(ctx, l, pool, []endpoint{{to.URL, secret}})
	}
}

// startSvix runs the service against a stand-in of the API of Svix.
func startSvix(t *testing.T, at string, to *receiver) serve {
	db, err := env.PostgreSQL.Pool(at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	execute(t, db, comments)
	execute(t, db, "CREATE TABLE events (id BIGSERIAL PRIMARY KEY, text TEXT NOT NULL)")
	api := httptest.NewServer(standIn(to))
	t.Cleanup(api.Close)
	server, err := url.Parse(api.URL)
	if err != nil {
		t.Fatal(err)
	}
	client := svix.New("testsk_1", &svix.SvixOptions{ServerUrl: server})
	return func(ctx context.Context, l net.Listener) error { return publishSvix(ctx, l, db, client, "guestbook") }
}

// comments is the table. It refuses one text, so that a transaction fails.
const comments = "CREATE TABLE comments (text TEXT NOT NULL CHECK (text <> 'refused'))"

func execute(t *testing.T, db *sql.DB, statement string) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

// The endpoint answers 503 to the first request, so the one that arrives is a retry.
func TestEveryServiceSendsACommentUntilItIsAccepted(t *testing.T) {
	for _, s := range services {
		if s.start == nil || !envtest.Env.Has(s.backend) {
			continue
		}
		at, _, err := envtest.Env.Make(t.Context(), s.backend)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(s.file+" on "+string(s.backend), func(t *testing.T) {
			t.Parallel()
			to := newReceiver(t)
			run := s.start(t, at, to)
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			ctx, stop := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() { done <- run(ctx, listener) }()
			form := "http://" + listener.Addr().String() + "/comments"
			if got := leave(t, form, "refused"); got != http.StatusServiceUnavailable {
				t.Errorf("a comment that the database refuses got %d", got)
			}
			if got := leave(t, form, "hello"); got != http.StatusCreated {
				t.Errorf("a comment got %d", got)
			}
			if got := <-to.accepted; got != `{"text":"hello"}` {
				t.Errorf("the endpoint has accepted %s", got)
			}
			stop()
			if err := <-done; err != nil {
				t.Errorf("ended with %v", err)
			}
			if n := to.requests.Load(); n != 2 {
				t.Errorf("%d requests, want 2", n)
			}
		})
	}
}

func leave(t *testing.T, form, text string) int {
	t.Helper()
	answer, err := http.Post(form, "application/x-www-form-urlencoded", strings.NewReader(url.Values{"text": {text}}.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	if err := answer.Body.Close(); err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode
}

func TestTheREADMECountsTheirLines(t *testing.T) {
	for _, s := range services {
		envtest.CountedInREADME(t, "internal/bench/lines/publishing", s.file)
	}
}
