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

// Two people replay the same run of a delivery. The second finds it finished, and then the
// first replays it, and it is finished again: it has run again once.
func TestARunIsReplayedOnce(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		driver, dsn := e.store(t)
		in, _, plan := openWatched(t, e, driver, dsn)
		other, _ := e.reopen(t, driver, dsn)
		d := delivery("key")
		put(t, in, d)
		settle(t, in, claimOne(t, in), webhook.Done)
		found, err := in.Get(t.Context(), d.UID)
		must(t, err)
		f, note, came := webhook.Filter{UID: d.UID, After: found.Seq - 1, Before: found.Seq + 1}, webhook.Note{By: "ann"}, false
		plan.Watch(nil, func(what string) {
			if came || !strings.Contains(what, "SELECT d.id, d.uid, d.type, d.size") {
				return
			}
			came = true
			_, err := other.Replay(t.Context(), f, note)
			must(t, err)
			settle(t, other, claimOne(t, other), webhook.Done)
		})
		n, err := in.Replay(t.Context(), f, note)
		plan.Watch(nil, nil)
		if !came || n != 0 || !errors.Is(err, webhook.ErrState) || !strings.HasSuffix(err.Error(), "was replayed since it was found") {
			t.Errorf("the other came: %v; %d, %v", came, n, err)
		}
		again, err := in.Get(t.Context(), d.UID)
		must(t, err)
		if len(again.Replays) != 1 || again.State != webhook.Done {
			t.Errorf("%d replays, and it is %s", len(again.Replays), again.State)
		}
	})
}
