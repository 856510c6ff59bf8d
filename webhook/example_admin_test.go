package webhook_test

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// The target of deploys is down. What comes meanwhile is stored, one deploy that must not
// run any more is buried, and what had failed before is replayed at a rate.
func ExampleAdmin() {
	ctx := context.Background()
	inbox := &webhook.MemInbox{Logger: slog.New(slog.DiscardHandler)} // or a sqlinbox.Inbox
	var admin webhook.Admin = inbox
	ann := webhook.Note{By: "ann", Why: "the cluster is down"}

	if err := admin.Pause(ctx, "ci.deploy", ann); err != nil {
		fmt.Println(err)
	}
	deploy := webhook.NewDelivery("ci", "ci.deploy", "production", []byte(`{}`))
	_ = inbox.Put(ctx, deploy)
	_ = inbox.Put(ctx, webhook.NewDelivery("ci", "ci.notify", "production", []byte(`{}`)))
	claims, _ := inbox.Claim(ctx, webhook.ClaimOptions{N: 10})
	stats, _ := admin.Stats(ctx)
	for _, p := range stats.Paused {
		fmt.Printf("%s is paused by %s: %s; claims: %d, blocked: %d\n", p.Type, p.By, p.Why, len(claims), p.Blocked)
	}

	if err := admin.Bury(ctx, deploy.UID, webhook.Note{By: "ann", Why: "rolled back"}); err != nil {
		fmt.Println(err)
	}
	record, _ := admin.Get(ctx, deploy.UID)
	fmt.Println(record.State, record.Reason)

	if err := admin.Resume(ctx, "ci.deploy", ann); err != nil {
		fmt.Println(err)
	}
	dead := webhook.Filter{Type: "ci.deploy", States: []webhook.State{webhook.Dead}}
	n, err := admin.ReplayEvery(ctx, dead, ann, 10*time.Second)
	fmt.Println("replayed", n, err)
	// Output:
	// ci.deploy is paused by ann: the cluster is down; claims: 0, blocked: 1
	// dead buried by ann: rolled back
	// replayed 1 <nil>
}
