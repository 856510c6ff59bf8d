package webhook_test

import (
	"context"
	"fmt"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// A callback stores work for an hour later: it looks again whether a build has ended. The
// UID comes from the cause, so a callback that runs twice stores one follow-up.
func ExampleNewDelivery_notBefore() {
	ctx := context.Background()
	inbox := new(webhook.MemInbox) // in a service: sqlinbox
	var mux webhook.Mux
	webhook.On(&mux, func(ctx context.Context, e *webhook.Event[Build]) error {
		check := webhook.NewDelivery("ci", "ci.check", "", e.Body)
		check.UID = "check-" + e.UID
		check.Header = e.TraceHeader()
		check.NotBefore = time.Now().Add(time.Hour)
		err := inbox.Put(ctx, check)
		if webhook.IsDuplicate(err) {
			return nil // an earlier run of this callback has stored it
		}
		return err
	})
	webhook.OnType(&mux, "ci.check", func(_ context.Context, e *webhook.Event[Build]) error {
		fmt.Println("look at build", e.Payload.ID)
		return nil
	})
	worker := webhook.NewWorker(inbox, &mux)

	_ = inbox.Put(ctx, &webhook.Delivery{UID: "1", Source: "ci", Type: "ci.build", Body: []byte(`{"id": 42}`)})
	_ = worker.Drain(ctx) // does not wait for the follow-up
	check, err := inbox.Get(ctx, "check-1")
	fmt.Println(check.State, check.Delivery.NotBefore.After(time.Now().Add(59*time.Minute)), err)

	_ = inbox.Release(ctx, "check-1") // does not wait for the hour
	_ = worker.Drain(ctx)
	// Output:
	// waiting true <nil>
	// look at build 42
}
