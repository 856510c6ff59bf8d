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

	"github.com/stretchr/testify/require"

	"github.com/hookhouse/hookhouse/webhook"
)

func TestHealthOfAWorker(t *testing.T) {
	synctestRun(t, "is zero before Run, then shows the slots in use", func(t *testing.T) {
		in := &webhook.MemInbox{}
		w, _ := newTestWorker(in, webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error { work(time.Hour); return nil }))
		require.Zero(t, w.Health())
		putDelivery(t, in, "a", nil)
		putDelivery(t, in, "b", nil)
		w.Timeout = 2 * time.Hour
		stop := start(t, w)
		advance(time.Minute)
		h := w.Health()
		require.True(t, h.Running)
		require.Equal(t, []int{8, 2, 0, 0}, []int{h.Slots, h.InUse, h.Overdue, h.Suspects})
		require.Less(t, time.Since(h.LastClaim), time.Second)
		require.Zero(t, h.Waiting)
		require.NoError(t, h.LastError)
		advance(time.Hour)
		stop()
		require.False(t, w.Health().Running)
		require.False(t, w.Health().LastClaim.IsZero())
	})
	synctestRun(t, "shows how long claiming has failed, and the error", func(t *testing.T) {
		var down atomic.Bool
		in := &flakyInbox{MemInbox: &webhook.MemInbox{}, onClaim: func(context.Context) error {
			if down.Load() {
				return errBoom
			}
			return nil
		}}
		w, _ := newTestWorker(in, webhook.HandlerFunc(succeed))
		stop := start(t, w)
		advance(time.Second)
		down.Store(true)
		advance(time.Minute)
		h := w.Health()
		require.Greater(t, h.Waiting, 59*time.Second)
		require.ErrorIs(t, h.LastError, errBoom)
		down.Store(false)
		advance(6 * time.Second)
		h = w.Health()
		require.Zero(t, h.Waiting)
		require.NoError(t, h.LastError)
		stop()
	})
}

// probe sends a request to a HealthHandler.
func probe(t *testing.T, h http.Handler) (status int, report map[string]any) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "/healthz", nil))
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &report), w.Body)
	require.Equal(t, "application/json", w.Header().Get("Content-Type"))
	require.Equal(t, w.Code == http.StatusOK, report["ok"])
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
		require.Equal(t, 200, status)
		worker := report["workers"].([]any)[0].(map[string]any)
		require.Equal(t, true, worker["running"])
		require.EqualValues(t, 8, worker["slots"])
		require.NotEmpty(t, worker["last_claim"])
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
			require.Equal(t, 503, status)
			require.Len(t, report["problems"], 1)
			require.NotContains(t, report["problems"].([]any)[0], "hunter2")
			advance(2 * time.Second)
		}
		failing = false
		status, _ := probe(t, h)
		require.Equal(t, 200, status)
		require.Equal(t, 1, strings.Count(out.String(), "service is not healthy"), out)
		require.Equal(t, 1, strings.Count(out.String(), "hunter2"), out)
		require.Equal(t, 1, strings.Count(out.String(), "healthy again"), out)
	})
	synctestRun(t, "answers 503 when Ping panics", func(t *testing.T) {
		silence(t)
		status, _ := probe(t, webhook.HealthHandler(&pingInbox{&webhook.MemInbox{}, func(context.Context) error { panic("ping") }}))
		require.Equal(t, 503, status)
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
			require.Equal(t, 503, status)
		}
		require.Equal(t, 2*time.Second, time.Since(begun))
		require.EqualValues(t, 1, asked.Load())
		close(release)
		advance(time.Second)
		status, _ := probe(t, h)
		require.Equal(t, 200, status)
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
		require.EqualValues(t, 1, asked.Load())
		advance(900 * time.Millisecond)
		probe(t, h)
		require.EqualValues(t, 1, asked.Load())
		advance(200 * time.Millisecond)
		probe(t, h)
		require.EqualValues(t, 2, asked.Load())
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
		require.Equal(t, 200, status)
	})
	synctestRun(t, "answers 503 for a Worker that does not run", func(t *testing.T) {
		silence(t)
		in := &webhook.MemInbox{}
		w, _ := newTestWorker(in, webhook.HandlerFunc(succeed))
		status, report := probe(t, webhook.HealthHandler(in, w))
		require.Equal(t, 503, status)
		require.Equal(t, []any{"worker 1 does not run"}, report["problems"])
	})
	synctestRun(t, "answers 503 for a Worker that gets no answer to its claims for a lease", func(t *testing.T) {
		silence(t)
		in := &flakyInbox{MemInbox: &webhook.MemInbox{}, onClaim: func(context.Context) error { return errBoom }}
		w, _ := newTestWorker(in, webhook.HandlerFunc(succeed))
		h := webhook.HealthHandler(in, w)
		stop := start(t, w)
		advance(29 * time.Second)
		status, _ := probe(t, h)
		require.Equal(t, 200, status)
		advance(2 * time.Second)
		status, _ = probe(t, h)
		require.Equal(t, 503, status)
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
		require.Equal(t, 200, status, "both slots are in use")
		advance(5 * time.Minute)
		status, report := probe(t, h)
		require.Equal(t, 200, status, "one callback is overdue and slots are left")
		require.EqualValues(t, 1, report["workers"].([]any)[0].(map[string]any)["overdue"])
		advance(time.Hour)
		status, _ = probe(t, h)
		require.Equal(t, 503, status)
		release(4)
		advance(time.Minute)
		status, _ = probe(t, h)
		require.Equal(t, 200, status)
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
		require.Equal(t, 1, w.Health().Unsettled)
		status, _ := probe(t, h)
		require.Equal(t, 200, status)
		advance(time.Minute)
		status, report := probe(t, h)
		require.Equal(t, 503, status)
		require.Contains(t, report["problems"].([]any)[0], "work that the inbox does not settle")
		well.Store(true)
		advance(time.Minute)
		status, _ = probe(t, h)
		require.Equal(t, 200, status)
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
		require.Nil(t, report["unhandled"])
		advance(45 * time.Second)
		status, report := probe(t, h)
		require.Equal(t, 200, status)
		require.Equal(t, []any{"push"}, report["unhandled"])
		stop()
	})
	t.Run("panics on a nil Inbox and a nil Worker", func(t *testing.T) {
		require.Panics(t, func() { webhook.HealthHandler(nil) })
		require.Panics(t, func() { webhook.HealthHandler(&webhook.MemInbox{}, nil) })
	})
}
