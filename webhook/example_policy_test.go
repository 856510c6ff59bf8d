package webhook_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// Scans take an hour and a lot of memory, so one runs at a time and the other slots
// remain free for builds. A failed scan is tried once more, the next day.
func ExamplePolicy() {
	var handler webhook.Mux
	handler.Route("ci.build", webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error { return nil }))
	handler.Route("ci.scan", webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error { return nil }))
	worker := webhook.NewWorker(new(webhook.MemInbox), &handler)
	worker.Types = map[string]webhook.Policy{
		"ci.scan": {
			Concurrency:     1,
			MaxAttempts:     2,
			Timeout:         2 * time.Hour,
			Retry:           webhook.Backoff{First: 24 * time.Hour, Max: 24 * time.Hour},
			RetryOutOfOrder: new(true),
		},
	}
	for _, typ := range []string{"ci.scan", "ci.build"} {
		second := webhook.Claim{Attempt: 2, Delivery: &webhook.Delivery{Type: typ}}
		fmt.Println(typ, worker.Decide(context.Background(), second, errors.New("failed")).State)
	}

	worker.Types["ci.biuld"] = webhook.Policy{Concurrency: 4}
	fmt.Println(worker.Run(context.Background()))
	// Output:
	// ci.scan dead
	// ci.build waiting
	// webhook: no handler for type "ci.biuld", which Worker.Types has; the Handler has ci.build, ci.scan
}

// A func around a Handler mails the failures that are not tried again.
func ExampleWorker_Decide() {
	var worker *webhook.Worker
	mailed := func(ctx context.Context, next webhook.Handler, d *webhook.Delivery) error {
		err := next.Handle(ctx, d)
		claim, _ := webhook.ClaimFromContext(ctx)
		if o := worker.Decide(ctx, claim, err); o.State == webhook.Dead {
			fmt.Printf("mail: attempt %d of %s was the last: %s\n", claim.Attempt, d.Type, o.Reason)
		}
		return err
	}
	var handler webhook.Mux
	handler.Route("ci.build", webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error { return errors.New("disk full") }))
	inbox := new(webhook.MemInbox)
	worker = webhook.NewWorker(inbox, webhook.Wrap(&handler, mailed))
	worker.MaxAttempts = 2

	_ = inbox.Put(context.Background(), &webhook.Delivery{UID: "1", Source: "ci", Type: "ci.build"})
	for range 2 {
		_ = worker.Drain(context.Background())
		_ = inbox.Release(context.Background(), "1") // need not wait for the retry
	}
	// Output:
	// mail: attempt 2 of ci.build was the last: disk full
}
