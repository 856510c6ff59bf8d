package dbtest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/internal/dbtest/wait"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

var someHMAC = &webhook.HMAC{Header: "X-Signature", Keys: webhook.Keys(webhook.NewSecret("0123456789abcdef"))}

// describe returns a func that describes a call by its headers.
func describe(bySignature bool) func(r *http.Request, body []byte) webhook.Description {
	return func(r *http.Request, body []byte) webhook.Description {
		return webhook.Description{ID: r.Header.Get("X-Id"), Type: "alpha.push", OrderingKey: r.Header.Get("X-Key"), DedupBySignature: bySignature}
	}
}

// An answer is the body of a 202.
type answer struct {
	UID       string `json:"uid"`
	Duplicate bool   `json:"duplicate"`
}

// post sends a signed call. An answer other than 202 is an error.
func post(ctx context.Context, url, body string, header http.Header) (a answer, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return a, err
	}
	r.Header = header.Clone()
	if err := someHMAC.Sign(r, []byte(body)); err != nil {
		return a, err
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return a, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusAccepted {
		err = fmt.Errorf("%s: %s", response.Status, text)
	}
	if err != nil {
		return a, err
	}
	return a, json.Unmarshal(text, &a)
}

// drainWithWorkers runs a Worker on each inbox until nothing is unfinished.
func drainWithWorkers(t *testing.T, h webhook.Handler, inboxes ...*sqlinbox.Inbox) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	errs := make(chan error, len(inboxes))
	for _, in := range inboxes {
		w := webhook.NewWorker(in, h)
		w.PollInterval, w.Logger = 5*time.Millisecond, slog.New(slog.DiscardHandler)
		go func() { errs <- w.Run(ctx) }()
	}
	waitFor(t, "nothing is unfinished", func() bool {
		n, err := inboxes[0].Pending(t.Context(), 1)
		must(t, err)
		return n == 0
	})
	stop()
	for range inboxes {
		wantNil(t, <-errs)
	}
}

// waitFor fails the test if a condition never holds.
func waitFor(t *testing.T, condition string, holds func() bool) {
	t.Helper()
	must(t, wait.Until(t.Context(), condition, holds))
}

// There are two receivers and two workers on one database, as on two machines.
func TestFiftyConcurrentCallsOfOneEventRunOnce(t *testing.T) {
	for _, test := range []struct {
		name        string
		bySignature bool
		id          func(n int) string
		body        func(n int) string
	}{
		{"with an id", false, func(int) string { return "same" }, func(n int) string { return fmt.Sprintf(`{"try":%d}`, n) }},
		{"without an id", true, func(int) string { return "" }, func(int) string { return `{}` }},
		{"with an altered id", true, func(n int) string { return fmt.Sprint("id", n) }, func(int) string { return `{}` }},
	} {
		t.Run(test.name, func(t *testing.T) {
			inTurn(t, func(t *testing.T, e engine) {
				driver, dsn := e.store(t)
				var inboxes []*sqlinbox.Inbox
				var urls []string
				for range 2 {
					in, _ := e.reopen(t, driver, dsn)
					s := webhook.Source{Name: "alpha", Verifier: someHMAC, Describe: describe(test.bySignature)}
					server := httptest.NewServer(webhook.NewReceiver(s, webhook.Store(in)))
					t.Cleanup(server.Close)
					inboxes, urls = append(inboxes, in), append(urls, server.URL)
				}
				var all sync.WaitGroup
				var answers [50]answer
				for i := range answers {
					all.Go(func() {
						var err error
						header := http.Header{"X-Key": {"key"}, "X-Id": {test.id(i)}}
						if answers[i], err = post(t.Context(), urls[i%2], test.body(i), header); err != nil {
							t.Error(err)
						}
					})
				}
				// The workers run while the calls arrive: a copy may come after the
				// first has run.
				var runs atomic.Int64
				var handled atomic.Value
				running, stop := context.WithCancel(t.Context())
				count := webhook.HandlerFunc(func(_ context.Context, d *webhook.Delivery) error {
					runs.Add(1)
					handled.Store(d.UID)
					return nil
				})
				early := make(chan error, 1)
				go func() { early <- webhook.NewWorker(inboxes[0], count).Run(running) }()
				all.Wait()
				stop()
				wantNil(t, <-early)
				drainWithWorkers(t, count, inboxes...)
				if n := runs.Load(); n != 1 {
					t.Fatalf("%d runs, want 1", n)
				}
				fresh := 0
				for _, a := range answers {
					if !a.Duplicate {
						fresh++
					}
					if a.UID != handled.Load() {
						t.Errorf("a call was answered with %s, handled was %s", a.UID, handled.Load())
					}
				}
				if fresh != 1 {
					t.Errorf("%d calls were not answered as duplicates, want 1", fresh)
				}
			})
		})
	}
}
