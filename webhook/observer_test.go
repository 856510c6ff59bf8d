package webhook_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/hookhouse/hookhouse/webhook"
)

func TestLogObserverLogsReceivedClaimedAndSettled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		log := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
		in := &webhook.MemInbox{}
		w := webhook.NewWorker(in, webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error { return nil }))
		w.Logger, w.Observer = log, webhook.LogObserver(log)
		w.Observer.Received(&webhook.Delivery{UID: "refused"}, webhook.ErrNotStored, 0)
		putDelivery(t, in, "u1", nil)
		stop := start(t, w)
		synctest.Wait()
		stop()
		text := out.String()
		require.NotContains(t, text, "refused", "the Receiver logs it")
		for _, want := range []string{"delivery claimed", "delivery settled", "attempt=1 state=done"} {
			require.Equal(t, 1, strings.Count(text, want), "%s in\n%s", want, text)
		}
	})
}
