package webhook_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
)

// A silentInbox knows what is due next, but cannot signal what is stored.
type silentInbox struct{ countedInbox }

func (in *silentInbox) Changed() <-chan struct{} { panic("no signals today") }

func TestWorkerPollsANextDuerThatCannotSignal(t *testing.T) {
	synctestRun(t, "what is stored runs within PollInterval", func(t *testing.T) {
		in := &silentInbox{countedInbox{MemInbox: &webhook.MemInbox{}}}
		h, ran := recorded(succeed)
		w, _ := newTestWorker(in, h)
		w.PollInterval = 3 * time.Second
		stop := start(t, w)
		advance(10 * time.Second)
		putDelivery(t, in, "a", nil)
		advance(w.PollInterval)
		if diff := cmp.Diff([]string{"a"}, ran()); diff != "" {
			t.Errorf("ran (-want +got):\n%s", diff)
		}
		stop()
	})
}
