package edgetest

import (
	"context"
	"flag"
	"fmt"
	"testing"
	"time"
)

var away = flag.Duration("away", 4*time.Second, "how long the broker, or the database, is away under load")

// testOutage kills a server under load and starts it again after a while: no sender may see an
// error.
func testOutage(t *testing.T, kill func(c *chain) error, restart func(ctx context.Context) error) *chain {
	t.Helper()
	c := newChain(t, 2, 2, 2)
	if c == nil {
		return nil
	}
	c.start()
	load := c.paced()
	defer load.stop()
	if err := c.await(t.Context(), c.account.now(), 100); err != nil {
		t.Fatal(err)
	}
	if err := kill(c); err != nil {
		t.Fatal(err)
	}
	before, gone := c.account.now(), time.NewTimer(*away)
	<-gone.C
	if err := c.await(t.Context(), before, 100); err != nil {
		t.Error(err)
	}
	fmt.Fprintln(t.Output(), "away:", c.account.now())
	if err := restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := c.await(t.Context(), c.account.now(), 100); err != nil {
		t.Error(err)
	}
	load.stop()
	c.finish()
	return c
}

func TestBrokerOutageIsNotSeenBySenders(t *testing.T) {
	testOutage(t, func(*chain) error { return killNodes(cluster) },
		func(ctx context.Context) error { return restartNodes(ctx, cluster) })
}

func TestDatabaseOutageIsNotSeenBySenders(t *testing.T) {
	c := testOutage(t, (*chain).killServer, restartServer)
	if c != nil && c.account.now().refused == 0 {
		t.Error("no relay noticed the outage")
	}
}
