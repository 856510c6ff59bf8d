package dashtest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	_ "modernc.org/sqlite"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/prom"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// A service receives, stores and works, with the metrics of webhook/prom.
type service struct {
	registry *prometheus.Registry
	metrics  *prom.Metrics
	source   webhook.Source
	receiver *webhook.Receiver
	inbox    *sqlinbox.Inbox
	settled  chan webhook.State
	calls    int
}

// newService starts a service whose callback fails for good, once or not at all, as the
// body says.
func newService(t *testing.T) *service {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(t.TempDir(), "inbox.db"))
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	s := &service{
		registry: prometheus.NewRegistry(),
		inbox:    sqlinbox.New(db, sqlinbox.SQLite),
		settled:  make(chan webhook.State, 100),
		source: webhook.Source{
			Name:     "acme",
			Verifier: &webhook.HMAC{Header: "X-Signature", Keys: webhook.Keys(webhook.NewSecret("secret"))},
			Describe: func(r *http.Request, _ []byte) webhook.Description {
				return webhook.Description{Type: "acme.push", ID: r.Header.Get("X-Id")}
			},
		},
	}
	if err := s.inbox.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.inbox.Pause(t.Context(), "acme.deploy", webhook.Note{By: "ann", Why: "the cluster is down"}); err != nil {
		t.Fatal(err)
	}
	for _, typ := range []string{"acme.deploy", "acme.push"} { // the second waits behind the first
		if err := s.inbox.Put(t.Context(), webhook.NewDelivery("acme", typ, "paused", nil)); err != nil {
			t.Fatal(err)
		}
	}
	var mux webhook.Mux
	mux.Route("acme.push", webhook.HandlerFunc(func(ctx context.Context, d *webhook.Delivery) error {
		c, _ := webhook.ClaimFromContext(ctx)
		switch {
		case string(d.Body) == "fails":
			return webhook.Permanent(errors.New("never"))
		case string(d.Body) == "fails once" && c.Attempt == 1:
			return webhook.RetryAfter(time.Millisecond, errors.New("not now"))
		}
		return nil
	}))
	s.metrics = prom.New(mux.Types()...)
	s.inbox.Observer, s.inbox.Logger, s.inbox.Retention = s.metrics.InboxObserver(), log, time.Microsecond
	s.receiver = webhook.NewReceiver(s.source, webhook.Store(s.inbox))
	s.receiver.Observer, s.receiver.Logger = s.metrics.Observer(), log
	worker := webhook.NewWorker(s.inbox, &mux)
	worker.Logger = log
	worker.Observer = webhook.MultiObserver(s.metrics.Observer(), &webhook.Observer{
		Settled: func(_ context.Context, _ webhook.Claim, o webhook.Outcome, _ time.Duration) { s.settled <- o.State },
	})
	stats := s.metrics.Stats(s.inbox)
	stats.Interval = time.Nanosecond
	s.registry.MustRegister(s.metrics, stats, prom.Health(map[string]*webhook.Worker{"main": worker}),
		prom.CatchUps(map[string]func() prom.CatchUpStatus{"acme/app": func() prom.CatchUpStatus {
			return prom.CatchUpStatus{Missing: 1, Found: 3, Settled: 1, Lost: 1, Looks: 2, Looked: time.Now()}
		}}))

	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- worker.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		<-ended
		if err := errors.Join(s.inbox.Close(), db.Close()); err != nil {
			t.Error(err)
		}
	})
	return s
}

// call sends a signed call and returns the status.
func (s *service) call(t *testing.T, id, body, signedBody string) int {
	t.Helper()
	r := httptest.NewRequest("POST", "/hooks/acme", strings.NewReader(body))
	r.Header.Set("X-Id", id)
	if err := s.source.Verifier.(webhook.Signer).Sign(r, []byte(signedBody)); err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	s.receiver.ServeHTTP(w, r)
	return w.Code
}

// work does what moves each metric, and ends when all of it is settled.
func (s *service) work(t *testing.T) {
	t.Helper()
	for _, call := range []struct {
		body   string
		states []webhook.State
	}{
		{"fails", []webhook.State{webhook.Dead}},
		{"fails once", []webhook.State{webhook.Waiting, webhook.Done}},
		{"works", []webhook.State{webhook.Done}},
	} {
		s.calls++
		if code := s.call(t, fmt.Sprint(s.calls), call.body, call.body); code != http.StatusAccepted {
			t.Fatalf("answer %d", code)
		}
		for _, want := range call.states {
			if got := <-s.settled; got != want {
				t.Fatalf("%q was settled as %s, want %s", call.body, got, want)
			}
		}
	}
	if code := s.call(t, fmt.Sprint(s.calls), "works", "works"); code != http.StatusAccepted {
		t.Fatalf("answer %d to a duplicate", code)
	}
	if code := s.call(t, "x", "works", "forged"); code != http.StatusUnauthorized {
		t.Fatalf("answer %d to a forged call", code)
	}
	if err := s.inbox.Put(t.Context(), &webhook.Delivery{Source: "acme"}); err == nil {
		t.Fatal("a delivery without a UID was stored")
	}
	for range 2 {
		d := webhook.NewDelivery("acme", "acme.push", "burst", nil)
		d.Coalesce.Quiet = time.Hour
		if err := s.inbox.Put(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
	due := webhook.NewDelivery("acme", "acme.nobody", "", nil) // that nothing handles
	if err := s.inbox.Put(t.Context(), due); err != nil {
		t.Fatal(err)
	}
	if _, err := s.inbox.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	// What a healthy service does not do.
	c := webhook.Claim{Delivery: due}
	s.metrics.Observer().Lost(t.Context(), c)
	s.metrics.Observer().Overdue(t.Context(), c, time.Minute)
	s.metrics.InboxObserver().Repaired(t.Context(), "acme", "key")
}
