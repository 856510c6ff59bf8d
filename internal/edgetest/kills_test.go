package edgetest

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/internal/broker"
	"github.com/hookhouse/hookhouse/internal/dbtest/wait"
)

var (
	chaos = flag.Duration("chaos", 40*time.Second, "how long parts of the chain are killed under load; each kind is killed once at least")
	pause = flag.Duration("pause", 4*time.Second, "maximum time under load before a kill")
)

// The victims that are not members.
const (
	brokerNode = "broker node"
	database   = "database"
)

func TestNothingIsLostWhileAnyPartIsKilled(t *testing.T) {
	c := newChain(t, 3, 3, 3)
	if c == nil {
		return
	}
	c.start()
	load := c.load(1000)
	defer load.stop()
	kills := make(map[string]int)
	for began := time.Now(); len(kills) == 0 || time.Since(began) < *chaos; {
		victims := []string{edge, relay, worker, brokerNode, database}
		rand.Shuffle(len(victims), func(i, j int) { victims[i], victims[j] = victims[j], victims[i] })
		for _, v := range victims {
			if err := c.killOne(t.Context(), v); err != nil {
				t.Fatalf("kill of %s: %v", v, err)
			}
			kills[v]++
			fmt.Fprintln(t.Output(), v, "killed;", c.account.now())
		}
	}
	if err := c.await(t.Context(), c.account.now(), 100); err != nil {
		t.Error(err)
	}
	load.stop()
	c.finish()
	fmt.Fprintln(t.Output(), "kills:", kills)
}

// killOne kills a victim under load and starts it again after a while.
func (c *chain) killOne(ctx context.Context, victim string) error {
	if err := c.await(ctx, c.account.now(), 20); err != nil {
		return err
	}
	if err := wait.Part(ctx, *pause); err != nil {
		return err
	}
	var restart func(ctx context.Context) error
	switch victim {
	case brokerNode:
		n := anyNode()
		if err := n.Kill(); err != nil {
			return err
		}
		restart = n.Restart
	case database:
		if err := c.killServer(); err != nil {
			return err
		}
		restart = restartServer
	default:
		name := c.names[victim][rand.N(len(c.names[victim]))]
		c.kill(name)
		restart = func(ctx context.Context) error { return c.launch(ctx, name) }
	}
	if err := wait.Part(ctx, time.Second); err != nil {
		return err
	}
	return restart(ctx)
}

func anyNode() *broker.Node { return cluster.Node(rand.N(len(cluster.Nodes()))) }

func TestRelayThatAcknowledgesFirstLoses(t *testing.T) {
	c := newChain(t, 1, 1, 1)
	if c == nil {
		return
	}
	r := c.members[c.names[relay][0]]
	r.AcksFirst = true
	c.start()
	load := c.load(1000)
	defer load.stop()
	for range 5 {
		if err := c.await(t.Context(), c.account.now(), 50); err != nil {
			t.Fatal(err)
		}
		c.kill(r.Name)
		if err := c.launch(t.Context(), r.Name); err != nil {
			t.Fatal(err)
		}
	}
	load.stop()
	inbox, db, err := open(c.store, 2)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	defer inbox.Close()
	if err := wait.Until(t.Context(), "queue and inbox are empty", func() bool {
		left, err := ready(t.Context(), cluster, c.queue)
		pending, e := inbox.Pending(t.Context(), 1)
		return err == nil && e == nil && left == 0 && pending == 0
	}); err != nil {
		t.Fatal(err)
	}
	if err := c.stop(); err != nil {
		t.Fatal(err)
	}
	wantErr(t, c.account, "acknowledged deliveries were never handled")
}
