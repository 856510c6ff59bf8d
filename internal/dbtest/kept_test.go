package dbtest

import (
	"testing"
	"time"
)

func TestAnInboxSaysHowLongItKeepsWhatIsFinished(t *testing.T) {
	const day = 24 * time.Hour
	for _, test := range []struct{ retention, dead, wantRetention, wantDead time.Duration }{
		{0, 0, 7 * day, 90 * day},
		{time.Hour, time.Minute, time.Hour, time.Minute},
		{-1, -2, -1, -2},
	} {
		in, _ := modernc.open(t)
		in.Retention, in.DeadRetention = test.retention, test.dead
		if kept, dead := in.Kept(); kept != test.wantRetention || dead != test.wantDead {
			t.Errorf("with %v and %v Kept returned %v, %v", test.retention, test.dead, kept, dead)
		}
	}
}
