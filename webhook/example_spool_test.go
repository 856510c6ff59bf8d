package webhook_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/hookhouse/hookhouse/webhook"
)

// A downInbox is an inbox whose database is away.
type downInbox struct{ webhook.Inbox }

func (downInbox) Put(context.Context, *webhook.Delivery) error {
	return errors.New("connection refused")
}

// A real program has PostgreSQL for the primary inbox and SQLite for the local
// one, and gives the Spool to a Receiver.
func ExampleSpool() {
	var primary, local webhook.MemInbox
	push := &webhook.Delivery{UID: "1", Source: "github", Type: "github.push", OrderingKey: "main", Body: []byte(`{}`)}

	while := webhook.NewSpool(downInbox{&primary}, &local)
	while.Logger = slog.New(slog.DiscardHandler)
	fmt.Println("stored:", while.Handle(context.Background(), push))
	fmt.Println("local:", local.Stats())

	// The database is back; the program has started again.
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- webhook.NewSpool(&primary, &local).Run(ctx) }()
	err := webhook.NewWorker(&primary, webhook.HandlerFunc(func(_ context.Context, d *webhook.Delivery) error {
		fmt.Println("handled:", d.Type)
		stop()
		return nil
	})).Run(ctx)
	fmt.Println("stopped:", err, <-done)
	fmt.Println("local:", local.Stats())
	// Output:
	// stored: <nil>
	// local: map[waiting:1]
	// handled: github.push
	// stopped: <nil> <nil>
	// local: map[done:1]
}
