package edgetest

import (
	"flag"
	"fmt"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/internal/dbtest/wait"
)

var relayKills = flag.Int("relaykills", 6, "how many times the only relay is killed under load")

// A server that counts deliveries ends a message after some. The queue has no such limit.
func TestKilledRelaysLeaveTheDeadQueueEmpty(t *testing.T) {
	c := newChain(t, 1, 1, 1)
	if c == nil {
		return
	}
	c.start()
	load := c.load(1000)
	defer load.stop()
	name := c.names[relay][0]
	for range *relayKills {
		before := c.account.now()
		if err := wait.Until(t.Context(), "the relay stores deliveries", func() bool { return c.account.now().stored >= before.stored+20 }); err != nil {
			t.Fatal(err)
		}
		if err := wait.Part(t.Context(), 200*time.Millisecond); err != nil {
			t.Fatal(err)
		}
		c.kill(name)
		if err := c.launch(t.Context(), name); err != nil {
			t.Fatal(err)
		}
	}
	load.stop()
	c.finish() // the dead queue is empty
	fmt.Fprintln(t.Output(), *relayKills, "kills of the relay")
}
