package publish_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook/publish"
)

func TestLargeBodiesOfHangingEndpointsDelayNoProvenOne(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t)
		r.MaxPayload = 32 << 20
		for i := range 40 {
			name := fmt.Sprintf("hanging%d", i)
			r.create(name, func(e *publish.Endpoint) { e.Events = []string{"next"} })
			r.net.at(name, hang)
		}
		r.create("proven", func(e *publish.Endpoint) { e.Events = []string{"first", "small"} })
		r.start()
		r.publish(publish.Event{Type: "first"})
		advance(time.Second)
		r.publish(publish.Event{Type: "next", Payload: make([]byte, 30<<20)})
		advance(time.Second)
		for round := range 10 {
			r.publish(publish.Event{Type: "small", Payload: make([]byte, 5<<20)})
			advance(2 * time.Second)
			if n := len(r.net.to("proven")); n != round+2 {
				t.Fatalf("round %d: the proven one has received %d events, want %d", round, n, round+2)
			}
		}
	})
}
