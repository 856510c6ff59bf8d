package webhook_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookhouse/hookhouse/webhook"
)

func TestSuspectThatCannotBeginIsPutBack(t *testing.T) {
	for name, f := range map[string]func(ctx context.Context) error{
		"fails": func(context.Context) error { return errBoom },
		"hangs": func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
	} {
		synctestRun(t, "delays the others for a lease at most: its Begin "+name, func(t *testing.T) {
			in := &flakyInbox{MemInbox: &webhook.MemInbox{}}
			suspects(t, in.MemInbox, "a")
			var well atomic.Bool
			in.onBegin = func(ctx context.Context) error {
				if well.Load() {
					return nil
				}
				return f(ctx)
			}
			h, ran := recorded(succeed)
			w, _ := newTestWorker(in, h)
			stop := start(t, w)
			advance(time.Second)
			putDelivery(t, in, "b", nil)
			advance(16 * time.Minute)
			require.Equal(t, []string{"b"}, ran())
			well.Store(true)
			advance(time.Hour)
			require.Equal(t, []string{"b", "a"}, ran())
			stop()
		})
	}
	synctestRun(t, "runs if Begin is slow, since its lease is renewed", func(t *testing.T) {
		in := &flakyInbox{MemInbox: &webhook.MemInbox{}}
		suspects(t, in.MemInbox, "a")
		in.onBegin = func(ctx context.Context) error {
			select {
			case <-time.After(3 * time.Minute):
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		h, ran := recorded(succeed)
		w, j := newTestWorker(in, h)
		stop := start(t, w)
		advance(4 * time.Minute)
		stop()
		require.Equal(t, []string{"a"}, ran())
		require.Equal(t, []webhook.State{webhook.Done}, j.states())
		require.Empty(t, j.lost)
	})
}
