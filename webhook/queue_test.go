package webhook_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

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
		require.Equal(t, []string{"1"}, ran())
		require.Equal(t, map[webhook.State]int{webhook.Done: 1}, counts(t, in))
	})
	h, _ := recorded(succeed)
	require.PanicsWithValue(t, "webhook: NewWorker needs a queue", func() { webhook.NewWorker(nil, h) })
}
