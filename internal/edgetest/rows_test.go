package edgetest

import (
	"context"
	"fmt"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/hookhouse/hookhouse/internal/dbtest/ledger"
	"github.com/hookhouse/hookhouse/webhook"
)

// publishAll publishes n deliveries, and each again until it is confirmed. It returns their UIDs.
func publishAll(t *testing.T, publisher webhook.Handler, n int) (uids []string) {
	t.Helper()
	var all errgroup.Group
	all.SetLimit(64)
	for i := range n {
		d := webhook.NewDelivery("edge", "edge.entry", fmt.Sprint("key", i), []byte(fmt.Sprint(i)))
		uids = append(uids, d.UID)
		all.Go(func() error {
			return retry(t.Context(), func(ctx context.Context) error { return publisher.Handle(ctx, d) })
		})
	}
	if err := all.Wait(); err != nil {
		t.Fatal(err)
	}
	return uids
}

// wantRows compares the rows in PostgreSQL: one for each UID, and no other.
func (c *chain) wantRows(uids []string) {
	c.t.Helper()
	inbox, _ := c.store.Inbox(c.t)
	rows := make(map[string]int)
	for r, err := range inbox.All(c.t.Context(), webhook.Filter{}) {
		if err != nil {
			c.t.Fatal(err)
		}
		rows[r.Delivery.UID]++
	}
	var missing, twice []string
	for _, uid := range uids {
		switch n := rows[uid]; {
		case n == 0:
			missing = append(missing, uid)
		case n > 1:
			twice = append(twice, uid)
		}
		delete(rows, uid)
	}
	if len(missing)+len(twice)+len(rows) > 0 {
		c.t.Errorf("of %d: %d have no row: %s; %d have several: %s; %d rows of others",
			len(uids), len(missing), ledger.First(missing, " "), len(twice), ledger.First(twice, " "), len(rows))
	}
}

// wantEmpty fails the test if a queue has messages.
func (c *chain) wantEmpty(queue string) {
	c.t.Helper()
	if n, err := ready(c.t.Context(), cluster, queue); err != nil || n > 0 {
		c.t.Errorf("%d messages are in %s, %v", n, queue, err)
	}
}

// holdsNothing reports whether the queue has no message, also none that a consumer has. Its leader
// knows: what the server lists is up to five seconds old.
func (c *chain) holdsNothing() bool {
	messages, err := cluster.Node(0).EvalQueue(c.t.Context(), c.queue,
		"{ok, {_, N}, _} = ra:leader_query(amqqueue:get_pid(Q), fun rabbit_fifo:query_messages_total/1), N.")
	return err == nil && messages == "0"
}
