package webhook_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

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
			if diff := cmp.Diff([]string{"push"}, ran()); diff != "" {
				t.Fatalf("ran() (-want +got):\n%s", diff)
			}
			if got := stateOf(t, in, others); got != webhook.Waiting {
				t.Fatalf("stateOf(in, others) = %q, want %q", got, webhook.Waiting)
			}
			claims, err := in.Claim(t.Context(), webhook.ClaimOptions{N: 1})
			if err != nil {
				t.Fatal(err)
			}
			if claims[0].Attempt != 1 {
				t.Fatalf("it was never claimed: claims[0].Attempt = %d, want 1", claims[0].Attempt)
			}
		})
	}
	synctestRun(t, "a Mux without routes claims nothing", func(t *testing.T) {
		in := &webhook.MemInbox{}
		d := putDelivery(t, in, "a", nil)
		w, j := newTestWorker(in, &webhook.Mux{})
		stop := start(t, w)
		advance(time.Minute)
		stop()
		if len(j.claimed) != 0 {
			t.Fatalf("j.claimed = %v, want empty", j.claimed)
		}
		if got := stateOf(t, in, d); got != webhook.Waiting {
			t.Fatalf("stateOf(in, d) = %q, want %q", got, webhook.Waiting)
		}
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
		if diff := cmp.Diff([]string{"push"}, ran()); diff != "" {
			t.Fatalf("ran() (-want +got):\n%s", diff)
		}
		if got := stateOf(t, in, pushed); got != webhook.Done {
			t.Fatalf("stateOf(in, pushed) = %q, want %q", got, webhook.Done)
		}
		if got := stateOf(t, in, rest); got != webhook.Ignored {
			t.Fatalf("stateOf(in, rest) = %q, want %q", got, webhook.Ignored)
		}
	})
	synctestRun(t, "Default handles unhandled types", func(t *testing.T) {
		in := &webhook.MemInbox{}
		h, ran := recorded(succeed)
		w, _ := newTestWorker(in, &webhook.Mux{Default: h, IgnoreUnhandled: true})
		putDelivery(t, in, "star", typed("github.star"))
		stop := start(t, w)
		advance(time.Minute)
		stop()
		if diff := cmp.Diff([]string{"star"}, ran()); diff != "" {
			t.Fatalf("ran() (-want +got):\n%s", diff)
		}
	})
}
