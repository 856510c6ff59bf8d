package dbtest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/webhook"
)

func TestAnUnreadableRowIsDeadAndBlocksNoOther(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, db := e.open(t)
		var damaged []string
		for i := range 25 {
			d := put(t, in, delivery(fmt.Sprint("key", i%4)))
			damaged = append(damaged, d.UID)
		}
		run(t, db, "UPDATE hookhouse_bodies SET envelope = '{'")
		bodiless := put(t, in, delivery("key1"))
		damaged = append(damaged, bodiless.UID)
		run(t, db, "DELETE FROM hookhouse_bodies WHERE id = (SELECT max(id) FROM hookhouse_deliveries)")
		good := put(t, in, delivery("key2"))
		claims := claim(t, in, 4) // fewer than are damaged
		if len(claims) != 1 || claims[0].Delivery.UID != good.UID {
			t.Fatalf("claims are %v, want %s", claims, good.UID)
		}
		for _, uid := range damaged {
			r, err := in.Get(t.Context(), uid)
			must(t, err)
			if r.State != webhook.Dead || r.Attempt != 1 || !strings.Contains(r.Reason, "cannot be read") || r.Err == nil {
				t.Errorf("%s is %s after %d attempts: %s (%v)", uid, r.State, r.Attempt, r.Reason, r.Err)
			}
		}
	})
}

func TestAnUnreadableRowIsDeadAgainAfterReplay(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, db := e.open(t)
		for name, change := range map[string]string{
			"cut off":              `UPDATE hookhouse_bodies SET envelope = '{"header":{"A":["b"'`,
			"empty":                `UPDATE hookhouse_bodies SET envelope = ''`,
			"no JSON":              `UPDATE hookhouse_bodies SET envelope = 'header: none'`,
			"of another shape":     `UPDATE hookhouse_bodies SET envelope = '{"header":["a","b"]}'`,
			"with a wrong base64":  `UPDATE hookhouse_bodies SET envelope = '{"raw":[{"name":"%","values":[]}]}'`,
			"without body at all":  `DELETE FROM hookhouse_bodies`,
			"with two JSON values": `UPDATE hookhouse_bodies SET envelope = '{} {}'`,
		} {
			d := put(t, in, delivery("key"))
			run(t, db, change+" WHERE id = (SELECT max(id) FROM hookhouse_deliveries)")
			h := &runCounter{runs: make(map[string]int)}
			drainWithWorkers(t, h, in)
			// A person who does not know runs it again: it dies again.
			if n, err := in.Replay(t.Context(), webhook.Filter{UID: d.UID}, webhook.Note{By: "ann"}); n != 1 || err != nil {
				t.Fatalf("%s: Replay: %d, %v", name, n, err)
			}
			drainWithWorkers(t, h, in)
			r, err := in.Get(t.Context(), d.UID)
			must(t, err)
			if r.State != webhook.Dead || r.Attempt != 1 || r.Fence != 2 || h.runs[d.UID] != 0 {
				t.Errorf("%s: it is %s after %d attempts, %d claims and %d runs", name, r.State, r.Attempt, r.Fence, h.runs[d.UID])
			}
			if !strings.Contains(r.Reason, "cannot be read") || len(r.Reason) < len("stored row cannot be read: x") || r.Err == nil {
				t.Errorf("%s: the reason is %q, the damage %v", name, r.Reason, r.Err)
			}
			good := put(t, in, delivery("key"))
			drainWithWorkers(t, h, in)
			if h.runs[good.UID] != 1 {
				t.Errorf("%s: the next of the key ran %d times", name, h.runs[good.UID])
			}
		}
	})
}
