package webhook_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

func TestContextOfACallbackEndsWhenItsSenderStopsWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newPipeListener()
		ended := make(chan time.Duration, 1)
		direct := webhook.NewReceiver(recvSource(), webhook.HandlerFunc(func(ctx context.Context, _ *webhook.Delivery) error {
			start := time.Now()
			<-ctx.Done()
			ended <- time.Since(start)
			return ctx.Err()
		}))
		direct.Logger = quiet
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- webhook.Serve(ctx, &http.Server{Handler: direct}, l) }()
		sender := l.client()
		sender.Timeout = 10 * time.Second // that of GitHub
		r := recvRequest(t, recvSource(), "{}")
		r.RequestURI, r.URL.Scheme, r.URL.Host = "", "http", "service"
		if res, err := sender.Do(r); err == nil {
			_ = res.Body.Close()
			t.Errorf("the sender got %d, want a timeout", res.StatusCode)
		} else if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the sender got %v, want a timeout", err)
		}
		if got := <-ended; got != 10*time.Second {
			t.Errorf("the callback's context ended after %v, want 10 s", got)
		}
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}
