package rabbitmq_test

import (
	"fmt"
	"testing"

	"github.com/hookhouse/hookhouse/internal/broker"
	"github.com/hookhouse/hookhouse/webhook/rabbitmq"
)

// awaitMembers waits until all members of a queue are up.
func awaitMembers(t *testing.T, c *broker.Cluster, queue string) {
	t.Helper()
	await(t, "all members of the queue are up", func() bool {
		members, err := c.Node(0).EvalQueue(t.Context(), queue, "[{online, Online}] = rabbit_quorum_queue:info(Q, [online]), length(Online).")
		return err == nil && members == fmt.Sprint(len(c.Nodes())) // an error: it is starting
	})
}

// One node at a time is killed, frozen, and restarted as an upgrade does.
func TestClusterLosesNothingThatWasAcknowledged(t *testing.T) {
	if node == nil {
		return
	}
	t.Parallel()
	c := startCluster(t, 3)
	queue := newName()
	if err := rabbitmq.Declare(t.Context(), connect(t, c.Node(0)), queue, 1); err != nil {
		t.Fatal(err)
	}
	awaitMembers(t, c, queue)
	for _, n := range c.Nodes() {
		syncDirectory(t, n)
	}
	dial := anyOf(c.Nodes())
	shutdown := func(n *broker.Node) error { return n.Shutdown(t.Context()) }
	restart := func(n *broker.Node) error { return n.Restart(t.Context()) }
	steps := []struct {
		percent int64
		do      func(n *broker.Node) error
		undo    func(n *broker.Node) error
	}{
		{10, (*broker.Node).Kill, restart}, // the leader, usually: the queue was declared there
		{25, shutdown, restart},
		{40, shutdown, restart},
		{55, shutdown, restart},
		{70, (*broker.Node).Freeze, (*broker.Node).Resume},
		{85, (*broker.Node).Freeze, (*broker.Node).Resume},
	}
	l := startLoad(t, dial, queue, 10, 80)
	for i, step := range steps {
		l.until(t, step.percent)
		n := c.Node(i % 3)
		if err := step.do(n); err != nil {
			t.Fatal(err)
		}
		l.until(t, step.percent+5) // two of three are enough
		if err := step.undo(n); err != nil {
			t.Fatal(err)
		}
		awaitMembers(t, c, queue)
	}
	l.check(t)
}
