package webhook_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookhouse/hookhouse/webhook"
)

func TestPromise6_WorkerClaimsOnlyTheTypesOfItsHandler(t *testing.T) {
	wrappers := map[string]func(h webhook.Handler) webhook.Handler{
		"a Mux":                        func(h webhook.Handler) webhook.Handler { return h },
		"a Mux in Recover":             webhook.Recover,
		"a Mux in Timeout":             func(h webhook.Handler) webhook.Handler { return webhook.Timeout(time.Minute, h) },
		"a Mux in Recover and Timeout": func(h webhook.Handler) webhook.Handler { return webhook.Recover(webhook.Timeout(time.Minute, h)) },
	}
	for name, wrap := range wrappers {
		synctestRun(t, name+" leaves what others handle", func(t *testing.T) {
			in := &webhook.MemInbox{}
			h, ran := recorded(succeed)
			var mux webhook.Mux
			mux.Route("github.push", h)
			w, _ := newTestWorker(in, wrap(&mux))
			putDelivery(t, in, "push", typed("github.push"))
			others := putDelivery(t, in, "image", typed("dockerhub.push"))
			stop := start(t, w)
			advance(time.Hour)
			stop()
			require.Equal(t, []string{"push"}, ran())
			require.Equal(t, webhook.Waiting, stateOf(t, in, others))
			claims, err := in.Claim(t.Context(), webhook.ClaimOptions{N: 1})
			require.NoError(t, err)
			require.Equal(t, 1, claims[0].Attempt, "it was never claimed")
		})
	}
	synctestRun(t, "a Mux without routes claims nothing", func(t *testing.T) {
		in := &webhook.MemInbox{}
		d := putDelivery(t, in, "a", nil)
		w, j := newTestWorker(in, &webhook.Mux{})
		stop := start(t, w)
		advance(time.Minute)
		stop()
		require.Empty(t, j.claimed)
		require.Equal(t, webhook.Waiting, stateOf(t, in, d))
	})
	synctestRun(t, "IgnoreUnhandled settles unhandled types as ignored", func(t *testing.T) {
		in := &webhook.MemInbox{}
		h, ran := recorded(succeed)
		mux := &webhook.Mux{IgnoreUnhandled: true}
		mux.Route("github.push", h)
		w, _ := newTestWorker(in, mux)
		pushed := putDelivery(t, in, "push", typed("github.push"))
		rest := putDelivery(t, in, "star", typed("github.star"))
		stop := start(t, w)
		advance(time.Minute)
		stop()
		require.Equal(t, []string{"push"}, ran())
		require.Equal(t, webhook.Done, stateOf(t, in, pushed))
		require.Equal(t, webhook.Ignored, stateOf(t, in, rest))
	})
	synctestRun(t, "Default handles unhandled types", func(t *testing.T) {
		in := &webhook.MemInbox{}
		h, ran := recorded(succeed)
		w, _ := newTestWorker(in, &webhook.Mux{Default: h, IgnoreUnhandled: true})
		putDelivery(t, in, "star", typed("github.star"))
		stop := start(t, w)
		advance(time.Minute)
		stop()
		require.Equal(t, []string{"star"}, ran())
	})
}
