package dbtest

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/webhook"
)

// Two of a key are replayed together. The first has been replayed by another since
// they were looked at, ran again and is finished again.
func TestConcurrentReplaysLeaveNoKeyStuck(t *testing.T) {
	s := newPausedStore(t) // SQLite has one writer
	for n := 1; n < 40; n++ {
		key := fmt.Sprint("key", n)
		first := put(t, s.other, delivery(key))
		settle(t, s.other, claimOne(t, s.other), webhook.Done)
		put(t, s.other, delivery(key))
		settle(t, s.other, claimOne(t, s.other), webhook.Done)
		note := webhook.Note{By: "ann"}
		reached, acted, came := s.during(t, n, func() error {
			_, err := s.paused.Replay(t.Context(), webhook.Filter{OrderingKey: key}, note)
			return err
		}, func() error {
			_, err := s.other.Replay(t.Context(), webhook.Filter{UID: first.UID}, note)
			if errors.Is(err, webhook.ErrState) && strings.HasSuffix(err.Error(), " is waiting") {
				err = nil // the first was quicker
			}
			for _, c := range claim(t, s.other, 1) {
				settle(t, s.other, c, webhook.Done)
			}
			return err
		})
		if acted != nil || came != nil {
			t.Errorf("at %d: returned %v; the other %v", n, acted, came)
		}
		if left := drain(t, s.other); left > 0 {
			t.Fatalf("at %d: %d are stuck", n, left)
		}
		if !reached {
			return
		}
	}
}
