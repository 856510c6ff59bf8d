package webhook_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/internal/panictest"
	"github.com/hookhouse/hookhouse/webhook"
)

// problems returns the problems of a report.
func problems(report map[string]any) []string {
	list, _ := report["problems"].([]any)
	texts := make([]string, len(list))
	for i, p := range list {
		texts[i], _ = p.(string)
	}
	return texts
}

// probe sends a request to a HealthHandler.
func probe(t *testing.T, h http.Handler) (status int, report map[string]any) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "/healthz", nil))
	if err := json.Unmarshal(w.Body.Bytes(), &report); err != nil {
		t.Fatalf("%v: %v", w.Body, err)
	}
	if got := w.Header().Get("Content-Type"); got != "application/json" {
		t.Fatalf(`w.Header().Get("Content-Type") = %q, want %q`, got, "application/json")
	}
	if diff := cmp.Diff(w.Code == http.StatusOK, report["ok"]); diff != "" {
		t.Fatalf("report[\"ok\"] (-want +got):\n%s", diff)
	}
	return w.Code, report
}

// A pingInbox has a Ping that the test sets.
type pingInbox struct {
	*webhook.MemInbox
	ping func(ctx context.Context) error
}

func (in *pingInbox) Ping(ctx context.Context) error { return in.ping(ctx) }

func TestHealthHandler(t *testing.T) {
	silence := func(t *testing.T) *bytes.Buffer {
		var out bytes.Buffer
		before := slog.Default()
		slog.SetDefault(slog.New(slog.NewTextHandler(&out, nil)))
		t.Cleanup(func() { slog.SetDefault(before) })
		return &out
	}
	synctestRun(t, "answers 200 while the inbox answers and the Workers claim", func(t *testing.T) {
		in := &webhook.MemInbox{}
		w, _ := newTestWorker(in, webhook.HandlerFunc(succeed))
		h := webhook.HealthHandler(in, w)
		stop := start(t, w)
		synctest.Wait()
		status, report := probe(t, h)
		if status != 200 {
			t.Fatalf("status = %d, want 200", status)
		}
		worker := report["workers"].([]any)[0].(map[string]any)
		if worker["running"] != true {
			t.Fatalf(`worker["running"] = %v, want %v`, worker["running"], true)
		}
		if worker["slots"] != 8.0 {
			t.Fatalf(`worker["slots"] = %v, want %v`, worker["slots"], 8)
		}
		if worker["last_claim"] == nil {
			t.Fatalf(`worker["last_claim"] = %v, want not nil`, worker["last_claim"])
		}
		stop()
	})
	synctestRun(t, "answers 503 when Ping fails, and keeps the reason for the log", func(t *testing.T) {
		out := silence(t)
		failing := true
		h := webhook.HealthHandler(&pingInbox{&webhook.MemInbox{}, func(context.Context) error {
			if failing {
				return errors.New("password=hunter2 is wrong")
			}
			return nil
		}})
		for range 3 {
			status, report := probe(t, h)
			if status != 503 {
				t.Fatalf("status = %d, want 503", status)
			}
			if len(problems(report)) != 1 {
				t.Fatalf("problems = %v, want 1", problems(report))
			}
			if got := problems(report)[0]; strings.Contains(got, "hunter2") {
				t.Fatalf("problem = %q, want it without the password", got)
			}
			advance(2 * time.Second)
		}
		failing = false
		status, _ := probe(t, h)
		if status != 200 {
			t.Fatalf("status = %d, want 200", status)
		}
		if got := strings.Count(out.String(), "service is not healthy"); got != 1 {
			t.Fatalf(`%v: strings.Count(out.String(), "service is not healthy") = %d, want %d`, out, got, 1)
		}
		if got := strings.Count(out.String(), "hunter2"); got != 1 {
			t.Fatalf(`%v: strings.Count(out.String(), "hunter2") = %d, want %d`, out, got, 1)
		}
		if got := strings.Count(out.String(), "healthy again"); got != 1 {
			t.Fatalf(`%v: strings.Count(out.String(), "healthy again") = %d, want %d`, out, got, 1)
		}
	})
	synctestRun(t, "answers 503 when Ping panics", func(t *testing.T) {
		silence(t)
		status, _ := probe(t, webhook.HealthHandler(&pingInbox{&webhook.MemInbox{}, func(context.Context) error { panic("ping") }}))
		if status != 503 {
			t.Fatalf("status = %d, want 503", status)
		}
	})
	synctestRun(t, "answers 503 two seconds after an inbox was asked that does not answer, and asks it once", func(t *testing.T) {
		silence(t)
		var asked atomic.Int64
		release := make(chan struct{})
		h := webhook.HealthHandler(&pingInbox{&webhook.MemInbox{}, func(context.Context) error { // ignores its context
			asked.Add(1)
			<-release
			return nil
		}})
		begun := time.Now()
		for range 3 {
			status, _ := probe(t, h)
			if status != 503 {
				t.Fatalf("status = %d, want 503", status)
			}
		}
		if got := time.Since(begun); got != 2*time.Second {
			t.Fatalf("time.Since(begun) = %v, want %v", got, 2*time.Second)
		}
		if got := asked.Load(); got != 1 {
			t.Fatalf("asked.Load() = %d, want 1", got)
		}
		close(release)
		advance(time.Second)
		status, _ := probe(t, h)
		if status != 200 {
			t.Fatalf("status = %d, want 200", status)
		}
	})
	synctestRun(t, "asks once for all probes that come together, and once a second", func(t *testing.T) {
		var asked atomic.Int64
		h := webhook.HealthHandler(&pingInbox{&webhook.MemInbox{}, func(context.Context) error {
			asked.Add(1)
			work(500 * time.Millisecond)
			return nil
		}})
		var probes sync.WaitGroup
		for range 50 {
			probes.Go(func() { probe(t, h) })
		}
		probes.Wait()
		if got := asked.Load(); got != 1 {
			t.Fatalf("asked.Load() = %d, want 1", got)
		}
		advance(900 * time.Millisecond)
		probe(t, h)
		if got := asked.Load(); got != 1 {
			t.Fatalf("asked.Load() = %d, want 1", got)
		}
		advance(200 * time.Millisecond)
		probe(t, h)
		if got := asked.Load(); got != 2 {
			t.Fatalf("asked.Load() = %d, want 2", got)
		}
	})
	synctestRun(t, "a probe that leaves early spoils the answer of no other", func(t *testing.T) {
		h := webhook.HealthHandler(&pingInbox{&webhook.MemInbox{}, func(ctx context.Context) error {
			work(500 * time.Millisecond)
			return ctx.Err()
		}})
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		go h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, "GET", "/healthz", nil))
		status, _ := probe(t, h)
		if status != 200 {
			t.Fatalf("status = %d, want 200", status)
		}
	})
	synctestRun(t, "answers 503 for a Worker that does not run", func(t *testing.T) {
		silence(t)
		in := &webhook.MemInbox{}
		w, _ := newTestWorker(in, webhook.HandlerFunc(succeed))
		status, report := probe(t, webhook.HealthHandler(in, w))
		if status != 503 {
			t.Fatalf("status = %d, want 503", status)
		}
		if diff := cmp.Diff([]any{"worker 1 does not run"}, report["problems"]); diff != "" {
			t.Fatalf("report[\"problems\"] (-want +got):\n%s", diff)
		}
	})
	synctestRun(t, "answers 503 for a Worker that gets no answer to its claims for a lease", func(t *testing.T) {
		silence(t)
		in := &flakyInbox{MemInbox: &webhook.MemInbox{}, onClaim: func(context.Context) error { return errBoom }}
		w, _ := newTestWorker(in, webhook.HandlerFunc(succeed))
		h := webhook.HealthHandler(in, w)
		stop := start(t, w)
		advance(29 * time.Second)
		status, _ := probe(t, h)
		if status != 200 {
			t.Fatalf("status = %d, want 200", status)
		}
		advance(2 * time.Second)
		status, _ = probe(t, h)
		if status != 503 {
			t.Fatalf("status = %d, want 503", status)
		}
		stop()
	})
	synctestRun(t, "a Worker whose slots are all in use claims nothing and is well, one whose callbacks are all overdue is not", func(t *testing.T) {
		silence(t)
		in := &webhook.MemInbox{}
		hung, _, release := hang()
		w, _ := newTestWorker(in, hung)
		w.Concurrency, w.KeepRunning = 2, true
		h := webhook.HealthHandler(in, w)
		putDelivery(t, in, "hang 1", nil)
		stop := start(t, w)
		advance(10 * time.Minute)
		putDelivery(t, in, "hang 2", nil)
		advance(time.Minute)
		status, _ := probe(t, h)
		if status != 200 {
			t.Fatalf("both slots are in use: status = %d, want 200", status)
		}
		advance(5 * time.Minute)
		status, report := probe(t, h)
		if status != 200 {
			t.Fatalf("one callback is overdue and slots are left: status = %d, want 200", status)
		}
		if got := report["workers"].([]any)[0].(map[string]any)["overdue"]; got != 1.0 {
			t.Fatalf(`report["workers"].([]any)[0].(map[string]any)["overdue"] = %v, want %v`, got, 1)
		}
		advance(time.Hour)
		status, _ = probe(t, h)
		if status != 503 {
			t.Fatalf("status = %d, want 503", status)
		}
		release(4)
		advance(time.Minute)
		status, _ = probe(t, h)
		if status != 200 {
			t.Fatalf("status = %d, want 200", status)
		}
		stop()
	})
	synctestRun(t, "answers 503 for a Worker whose slots all hold work that the inbox does not settle", func(t *testing.T) {
		silence(t)
		in := &flakyInbox{MemInbox: &webhook.MemInbox{}}
		var well atomic.Bool
		in.onSettle = func(context.Context) error {
			if well.Load() {
				return nil
			}
			return errBoom
		}
		w, _ := newTestWorker(in, webhook.HandlerFunc(succeed))
		w.Concurrency = 2
		h := webhook.HealthHandler(in, w)
		putDelivery(t, in, "a", nil)
		stop := start(t, w)
		advance(time.Minute)
		putDelivery(t, in, "b", nil)
		advance(time.Second)
		if got := w.Health().Unsettled; got != 1 {
			t.Fatalf("w.Health().Unsettled = %d, want 1", got)
		}
		status, _ := probe(t, h)
		if status != 200 {
			t.Fatalf("status = %d, want 200", status)
		}
		advance(time.Minute)
		status, report := probe(t, h)
		if status != 503 {
			t.Fatalf("status = %d, want 503", status)
		}
		if got := problems(report)[0]; !strings.Contains(got, "work that the inbox does not settle") {
			t.Fatalf("problem = %q, want one about work that the inbox does not settle", got)
		}
		well.Store(true)
		advance(time.Minute)
		status, _ = probe(t, h)
		if status != 200 {
			t.Fatalf("status = %d, want 200", status)
		}
		stop()
	})
	synctestRun(t, "reports types that no Worker claims, with 200", func(t *testing.T) {
		in := &webhook.MemInbox{}
		var mux webhook.Mux
		mux.Route("github.push", webhook.HandlerFunc(succeed))
		w, _ := newTestWorker(in, &mux)
		h := webhook.HealthHandler(in, w)
		stop := start(t, w)
		putDelivery(t, in, "a", typed("github.push"))
		putDelivery(t, in, "b", typed("push"))
		advance(30 * time.Second)
		_, report := probe(t, h)
		if report["unhandled"] != nil {
			t.Fatalf(`report["unhandled"] = %v, want nil`, report["unhandled"])
		}
		advance(45 * time.Second)
		status, report := probe(t, h)
		if status != 200 {
			t.Fatalf("status = %d, want 200", status)
		}
		if diff := cmp.Diff([]any{"push"}, report["unhandled"]); diff != "" {
			t.Fatalf("report[\"unhandled\"] (-want +got):\n%s", diff)
		}
		stop()
	})
	t.Run("panics on a nil Inbox and a nil Worker", func(t *testing.T) {
		panictest.Require(t, "webhook: HealthHandler", func() { webhook.HealthHandler(nil) })
		panictest.Require(t, "webhook: HealthHandler", func() { webhook.HealthHandler(&webhook.MemInbox{}, nil) })
	})
}
