package dbtest

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
)

// The trace context of the caller is there at each attempt and after a replay, so that
// a trace goes on.
func TestEachAttemptHasTheTraceContext(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, _ := e.open(t)
		sent := http.Header{
			"Traceparent": {"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"},
			"Tracestate":  {"congo=t61rcWkgMzE", "rojo=00f067aa0ba902b7"},
		}
		d := delivery("key")
		d.Header = sent
		put(t, in, d)
		for i, state := range []webhook.State{webhook.Waiting, webhook.Waiting, webhook.Dead, webhook.Done} {
			c := claimOne(t, in)
			if diff := cmp.Diff(sent, c.Delivery.TraceHeader()); diff != "" {
				t.Errorf("claim %d (-sent +got):\n%s", i, diff)
			}
			settle(t, in, c, state)
			if state == webhook.Dead {
				if n, err := in.Replay(t.Context(), webhook.Filter{UID: d.UID}, webhook.Note{By: "test"}); n != 1 || err != nil {
					t.Fatalf("Replay = %d, %v", n, err)
				}
			}
		}
	})
}
