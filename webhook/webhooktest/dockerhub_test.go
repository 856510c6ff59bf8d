package webhooktest_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

func TestDockerHubSendsEqualCalls(t *testing.T) {
	target, got := server(t, status(http.StatusOK))
	h := webhooktest.DockerHub{Calls: 3}
	result := h.Deliver(t.Context(), target+"/hooks/dockerhub/tok3n", body)
	if !result.Delivered || len(result.Attempts) != 3 || len(*got) != 3 {
		t.Fatalf("got %+v and %d calls", result, len(*got))
	}
	for _, r := range *got {
		want := request{"POST", "/hooks/dockerhub/tok3n", string(body), http.Header{"Content-Type": {"application/json"}, "Content-Length": {"8"}}}
		if diff := cmp.Diff(want, r, cmp.AllowUnexported(request{})); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

func TestDockerHubMakesCallsAtOnceOrWithGaps(t *testing.T) {
	for _, tc := range []struct {
		name    string
		calls   int
		gap     time.Duration
		takes   time.Duration // of the receiver
		at      []time.Duration
		highest int32 // number of concurrent calls
	}{
		{"one call", 0, 0, time.Second, []time.Duration{0}, 1},
		{"all at once", 6, 0, time.Second, []time.Duration{0, 0, 0, 0, 0, 0}, 6},
		{"with a gap", 3, 2 * time.Second, time.Second, []time.Duration{0, 2, 4}, 1},
		{"with a gap and a slow receiver", 3, time.Second, time.Minute, []time.Duration{0, 1, 2}, 3},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var now, highest atomic.Int32
				start := time.Now()
				h := webhooktest.DockerHub{Calls: tc.calls, Gap: tc.gap, Transport: webhooktest.InMemory(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
					if n := now.Add(1); n > highest.Load() {
						highest.Store(n)
					}
					if text, err := io.ReadAll(r.Body); err != nil || string(text) != string(body) {
						t.Errorf("got %q, %v", text, err)
					}
					<-time.After(tc.takes)
					now.Add(-1)
				}))}
				result := h.Deliver(t.Context(), "http://ci.test/", body)
				if !result.Delivered || len(result.Attempts) != len(tc.at) {
					t.Fatalf("got %+v", result)
				}
				for i, a := range result.Attempts {
					if got := a.At.Sub(start); got != tc.at[i]*time.Second {
						t.Errorf("call %d at %v, want %v", i, got, tc.at[i]*time.Second)
					}
				}
				if highest.Load() != tc.highest {
					t.Errorf("%d concurrent calls, want %d", highest.Load(), tc.highest)
				}
			})
		})
	}
}

func TestDockerHubDoesNotRetryOrFollowRedirects(t *testing.T) {
	for _, code := range []int{302, 404, 503} {
		var calls atomic.Int32
		h := webhooktest.DockerHub{Calls: 2, Transport: webhooktest.InMemory(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "/elsewhere")
			if calls.Add(1) == 2 {
				w.WriteHeader(code)
			}
		}))}
		if result := h.Deliver(t.Context(), "http://ci.test/", body); result.Delivered || calls.Load() != 2 {
			t.Errorf("%d: got %+v after %d calls", code, result, calls.Load())
		}
	}
}

func TestDockerHubStopsWhenItsContextIsDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
		defer cancel()
		h := webhooktest.DockerHub{Calls: 5, Gap: time.Minute, Transport: webhooktest.InMemory(status(200))}
		result := h.Deliver(ctx, "http://ci.test/", body)
		if !errors.Is(result.Err, context.DeadlineExceeded) || len(result.Attempts) != 2 || result.Delivered {
			t.Errorf("got %+v", result)
		}
	})
}
