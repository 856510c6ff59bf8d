package rabbitmq

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestAChannelThatRejectsEachMessageIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := new(channel)
		for i, step := range []struct {
			after    time.Duration
			rejected bool
			all      bool
		}{
			{0, false, false},
			{time.Hour, true, false}, // what was before counts no more
			{rejectTimeout - 1, true, false},
			{0, false, false}, // one was taken
			{1, true, false},
			{rejectTimeout - 1, true, false},
			{1, true, true},
			{0, false, false},
		} {
			time.Sleep(step.after) // of the bubble
			c.answer(step.rejected)
			if got := c.rejectsAll(); got != step.all {
				t.Errorf("step %d: %v", i, got)
			}
		}
	})
}
