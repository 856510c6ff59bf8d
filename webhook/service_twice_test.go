package webhook_test

import (
	"context"
	"errors"
	"net/http"
	"runtime"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

func TestServiceRunsOnce(t *testing.T) {
	synctestRun(t, "a second Run disturbs nothing", func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		s := startService(ctx, noContent)
		again := func(when string) {
			t.Helper()
			limit, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			if err := s.Run(limit); !errors.Is(err, webhook.ErrRunning) {
				t.Errorf("%s a second Run = %v, want %v", when, err, webhook.ErrRunning)
			}
		}
		again("at work")
		if got := s.get(); got != http.StatusNoContent {
			t.Errorf("a request is answered %d, want 204", got)
		}
		stop()
		advance(time.Second)
		again("during the delay")
		if status, _ := s.ready(nil); status != http.StatusServiceUnavailable {
			t.Errorf("ReadyHandler answers %d during the delay, want 503", status)
		}
		if err := <-s.ended; err != nil {
			t.Errorf("Run = %v", err)
		}
		again("at the end")
		if status, _ := s.ready(nil); status != http.StatusServiceUnavailable {
			t.Errorf("ReadyHandler answers %d after Run, want 503", status)
		}
	})
}

// A Runner that ends its goroutine works no more, and the service must not go on as if it
// did.
func TestServiceEndsWithARunnerThatEndsItsGoroutine(t *testing.T) {
	synctestRun(t, "as with one that fails", func(t *testing.T) {
		ctx, stop := context.WithTimeout(t.Context(), time.Hour)
		defer stop()
		s := startService(ctx, noContent, runnerFunc(func(context.Context) error {
			runtime.Goexit()
			return nil
		}))
		if err := <-s.ended; !errors.Is(err, webhook.ErrPanic) {
			t.Errorf("Run = %v, want %v", err, webhook.ErrPanic)
		}
	})
}
