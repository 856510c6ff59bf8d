package webhook_test

import (
	"context"
	"fmt"
	"hash/fnv"

	"github.com/hookhouse/hookhouse/webhook"
)

// split stores each delivery in one of the inboxes: those of one Source and ordering key in the
// same one. The number of inboxes never changes, because another number would move keys: their
// duplicates would run again, and their order would be lost.
func split(inboxes ...webhook.Inbox) webhook.Handler {
	return webhook.HandlerFunc(func(ctx context.Context, d *webhook.Delivery) error {
		key := d.OrderingKey
		if key == "" && len(d.DedupKeys) > 0 {
			key = d.DedupKeys[0] // a duplicate goes where the first one is
		}
		h := fnv.New32a()
		fmt.Fprintf(h, "%q%q", d.Source, key)
		return webhook.Store(inboxes[h.Sum32()%uint32(len(inboxes))]).Handle(ctx, d)
	})
}

// Several databases of one program, fixed in number. Each has a Worker of its own. On
// PostgreSQL take a schema for each inbox, say sixteen: schemas can move to other servers
// later, and no key moves between schemas.
func ExampleStore_split() {
	inboxes := []webhook.Inbox{new(webhook.MemInbox), new(webhook.MemInbox), new(webhook.MemInbox)}
	handler := split(inboxes...)
	for range 2 {
		for _, project := range []string{"lamps", "tides", "moles", "piers"} {
			d := webhook.NewDelivery("ci", "ci.build", project, []byte(`{}`))
			d.DedupKeys = []string{project + " build 1"}
			fmt.Println(project, "is a duplicate:", webhook.IsDuplicate(handler.Handle(context.Background(), d)))
		}
	}
	// Output:
	// lamps is a duplicate: false
	// tides is a duplicate: false
	// moles is a duplicate: false
	// piers is a duplicate: false
	// lamps is a duplicate: true
	// tides is a duplicate: true
	// moles is a duplicate: true
	// piers is a duplicate: true
}
