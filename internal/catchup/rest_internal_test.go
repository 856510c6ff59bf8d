package catchup

import (
	"testing"
	"time"
)

func TestAHeartbeatThatIsLateMeansSleep(t *testing.T) {
	last := time.Unix(1000, 0)
	for late, want := range map[time.Duration]bool{0: false, sleptFor: false, sleptFor + 1: true, time.Hour: true, -time.Hour: false} {
		if got := hasSlept(last, last.Add(heartbeat+late)); got != want {
			t.Errorf("%v late: %v, want %v", late, got, want)
		}
	}
}
