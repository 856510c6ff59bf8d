package webhook_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/hookhouse/hookhouse/webhook"
)

func TestLogObserverLogsReceivedClaimedAndSettled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		log := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
		in := &webhook.MemInbox{}
		w := webhook.NewWorker(in, webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error { return nil }))
		w.Logger, w.Observer = log, webhook.LogObserver(log)
		w.Observer.Received(t.Context(), &webhook.Delivery{UID: "refused"}, webhook.ErrNotStored, 0)
		putDelivery(t, in, "u1", nil)
		stop := start(t, w)
		synctest.Wait()
		stop()
		text := out.String()
		if strings.Contains(text, "refused") {
			t.Fatalf("the Receiver logs it: text = %q, want it not to contain \"refused\"", text)
		}
		for _, want := range []string{"delivery claimed", "delivery settled", "attempt=1 state=done"} {
			if got := strings.Count(text, want); got != 1 {
				t.Fatalf("%s in\n%s: strings.Count(text, want) = %d, want 1", want, text, got)
			}
		}
	})
}
