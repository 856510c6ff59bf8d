package webhook_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/internal/panictest"
	"github.com/hookhouse/hookhouse/webhook"
)

// A bareQueue has no method Put and none of the optional interfaces.
type bareQueue struct{ webhook.Queue }

func TestWorkerNeedsOnlyAQueue(t *testing.T) {
	synctestRun(t, "it polls the Queue and settles", func(t *testing.T) {
		in := &webhook.MemInbox{}
		h, ran := recorded(succeed)
		w := webhook.NewWorker(bareQueue{in}, h)
		w.Logger = quiet
		defer start(t, w)()
		putDelivery(t, in, "1", nil)
		advance(time.Second)
		if diff := cmp.Diff([]string{"1"}, ran()); diff != "" {
			t.Fatalf("ran() (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(map[webhook.State]int{webhook.Done: 1}, counts(t, in)); diff != "" {
			t.Fatalf("counts(in) (-want +got):\n%s", diff)
		}
	})
	h, _ := recorded(succeed)
	panictest.Require(t, "webhook: NewWorker needs a queue", func() { webhook.NewWorker(nil, h) })
}
