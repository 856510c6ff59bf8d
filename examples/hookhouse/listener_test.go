package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
)

func recordIn(state webhook.State, seq int64, attempt int) webhook.Record {
	return webhook.Record{Delivery: &webhook.Delivery{UID: "a"}, State: state, Seq: seq, Attempt: attempt}
}

// TestAnUpdateThatIsOlderThanTheListIsNotPrinted: after each connect the list is read, and the
// updates that were sent meanwhile come later.
func TestAnUpdateThatIsOlderThanTheListIsNotPrinted(t *testing.T) {
	const waiting, blocked, claimed, done, dead = webhook.Waiting, webhook.Blocked, webhook.Claimed, webhook.Done, webhook.Dead
	for _, tt := range []struct {
		name         string
		known, heard webhook.Record
		printed      bool
	}{
		{"the same", recordIn(done, 5, 1), recordIn(done, 5, 1), false},
		{"before its end", recordIn(done, 5, 1), recordIn(claimed, 5, 1), false},
		{"before the last attempt", recordIn(waiting, 5, 2), recordIn(waiting, 5, 1), false},
		{"before the end of the attempt", recordIn(waiting, 5, 1), recordIn(claimed, 5, 1), false},
		{"before its replay", recordIn(waiting, 9, 0), recordIn(dead, 5, 3), false},
		{"claimed", recordIn(waiting, 5, 0), recordIn(claimed, 5, 1), true},
		{"its end", recordIn(claimed, 5, 1), recordIn(done, 5, 1), true},
		{"a retry", recordIn(claimed, 5, 1), recordIn(waiting, 5, 1), true},
		{"the end of an attempt that does not count", recordIn(claimed, 5, 2), recordIn(waiting, 5, 1), true},
		{"its turn", recordIn(blocked, 5, 0), recordIn(waiting, 5, 0), true},
		{"a replay", recordIn(dead, 5, 3), recordIn(waiting, 9, 0), true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := &listener{tailer: newTailer(nil, webhook.Filter{})}
			l.window["a"] = snapshotOf(tt.known)
			if got := len(l.heard([]webhook.Record{tt.heard})) == 1; got != tt.printed {
				t.Errorf("printed %v, want %v", got, tt.printed)
			}
			want := tt.known
			if tt.printed {
				want = tt.heard
			}
			if d := cmp.Diff(snapshotOf(want), l.window["a"], cmp.AllowUnexported(snapshot{})); d != "" {
				t.Errorf("remembered: -want +got\n%s", d)
			}
		})
	}
}
