package webhook

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookhouse/hookhouse/internal/limit"
)

// settleAll claims what is due and settles it.
func settleAll(t *testing.T, in *MemInbox, o Outcome) {
	t.Helper()
	claims, err := in.Claim(t.Context(), ClaimOptions{N: 1 << 20, By: "ann"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range claims {
		if _, err := in.Settle(t.Context(), c, o); err != nil {
			t.Fatal(err)
		}
	}
}

func TestMemInboxHistoryIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := &MemInbox{DeadRetention: time.Nanosecond}
		const deliveries = 250
		for n := range deliveries {
			if err := in.Put(t.Context(), &Delivery{UID: fmt.Sprint(n), Source: "alpha"}); err != nil {
				t.Fatal(err)
			}
		}
		long := strings.Repeat("x", 2*limit.Reason)
		for range 2 * eventsEach {
			settleAll(t, in, Outcome{State: Waiting, Reason: long})
			if in.history.bytes > maxHistory {
				t.Fatalf("the history has %d bytes, want at most %d", in.history.bytes, maxHistory)
			}
		}
		total := 0
		for uid, rec := range in.all {
			total += len(rec.attempts)
			if len(rec.attempts) > eventsEach {
				t.Errorf("%s has %d attempts, want at most %d", uid, len(rec.attempts), eventsEach)
			}
			for i, a := range valuesOf[Attempt](rec.attempts) {
				if want := 2*eventsEach - len(rec.attempts) + i + 1; a.Number != want || len(a.Reason) != limit.Reason {
					t.Fatalf("attempt %d of %s is number %d with a reason of %d bytes, want %d and %d", i, uid, a.Number, len(a.Reason), want, limit.Reason)
				}
			}
		}
		if total != in.history.all.Len() || total < maxHistory/(limit.Reason+2*eventBytes) {
			t.Errorf("%d attempts of %d are kept", total, in.history.all.Len())
		}
		settleAll(t, in, Outcome{State: Dead})
		if n, err := in.Replay(t.Context(), Filter{States: []State{Dead}}, Note{By: "ann"}); n != deliveries || err != nil {
			t.Fatalf("Replay: %d, %v", n, err)
		}
		settleAll(t, in, Outcome{State: Dead})
		time.Sleep(time.Millisecond)
		if n, err := in.Sweep(t.Context()); n != deliveries || err != nil {
			t.Fatalf("Sweep: %d, %v", n, err)
		}
		if in.history.all.Len() != 0 || in.history.bytes != 0 {
			t.Errorf("%d events of %d bytes are left of no delivery", in.history.all.Len(), in.history.bytes)
		}
	})
}
