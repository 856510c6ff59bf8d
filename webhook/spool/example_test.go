package spool_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/spool"
)

// A downInbox is an inbox whose database is away.
type downInbox struct{ webhook.Inbox }

func (downInbox) Put(context.Context, *webhook.Delivery) error {
	return errors.New("connection refused")
}

// counted returns how many deliveries an inbox has in each state.
func counted(in webhook.Admin) map[webhook.State]int {
	st, _ := in.Stats(context.Background()) // the context has not ended
	return st.Count
}

// A real program uses PostgreSQL for the primary inbox and SQLite for the local one,
// and passes the Spool to a Receiver.
func ExampleSpool() {
	var primary, local webhook.MemInbox
	push := &webhook.Delivery{UID: "1", Source: "github", Type: "github.push", OrderingKey: "main", Body: []byte(`{}`)}

	s := spool.New(webhook.Store(downInbox{&primary}), &local)
	s.Logger = slog.New(slog.DiscardHandler)
	fmt.Println("stored:", s.Handle(context.Background(), push))
	fmt.Println("local:", counted(&local))

	// The database is available again, and the program was restarted.
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- spool.New(webhook.Store(&primary), &local).Run(ctx) }()
	err := webhook.NewWorker(&primary, webhook.HandlerFunc(func(_ context.Context, d *webhook.Delivery) error {
		fmt.Println("handled:", d.Type)
		stop()
		return nil
	})).Run(ctx)
	fmt.Println("stopped:", err, <-done)
	fmt.Println("local:", counted(&local))
	// Output:
	// stored: <nil>
	// local: map[waiting:1]
	// handled: github.push
	// stopped: <nil> <nil>
	// local: map[done:1]
}

// This moves the unfinished deliveries from one inbox to another, for example from
// SQLite to PostgreSQL, while no receiver is running.
func ExampleRelay() {
	var old, next webhook.MemInbox
	for i := range 3 {
		_ = old.Put(context.Background(), &webhook.Delivery{UID: fmt.Sprint(i), Source: "github", Type: "github.push", OrderingKey: "main"})
	}

	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- spool.NewRelay(&old, webhook.Store(&next)).Run(ctx) }()
	for {
		n, err := old.Pending(ctx, 1)
		if n == 0 && err == nil {
			break
		}
		time.Sleep(time.Millisecond)
	}
	stop()
	fmt.Println("stopped:", <-done)
	fmt.Println("old:", counted(&old))
	fmt.Println("new:", counted(&next))
	// Output:
	// stopped: <nil>
	// old: map[done:3]
	// new: map[blocked:2 waiting:1]
}
