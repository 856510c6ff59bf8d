package dbtest

import (
	"context"
	"testing"
	"time"

	databases "github.com/hookhouse/hookhouse/internal/dbtest/engine"
	"github.com/hookhouse/hookhouse/internal/dbtest/wait"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// The worker polls once an hour, so that it sees what another inbox stores by the signal only.
func TestAWorkerIsWokenByAnotherProcess(t *testing.T) {
	e := onPostgres(t)
	driver, dsn := e.store(t)
	receiving, db := e.reopen(t, driver, dsn)
	stored, wake := make(chan struct{}, 1), make(chan struct{}, 1)
	receiving.Observer = &sqlinbox.Observer{Stored: func(context.Context, *webhook.Delivery, time.Duration) { trySend(stored) }}
	go notify(t.Context(), db, stored)
	ended := make(chan error, 1)
	go func() { ended <- listen(t.Context(), databases.Server.DSN(), wake) }()

	working, _ := e.reopen(t, driver, dsn)
	working.Wake = wake
	ran := make(chan string)
	w := webhook.NewWorker(working, webhook.HandlerFunc(func(ctx context.Context, d *webhook.Delivery) error {
		select {
		case ran <- d.UID:
		case <-ctx.Done():
		}
		return nil
	}))
	w.PollInterval = time.Hour
	ctx, cancel := context.WithCancel(t.Context())
	worked := make(chan error, 1)
	go func() { worked <- w.Run(ctx) }()
	for range 20 {
		d := put(t, receiving, delivery(""))
		select {
		case uid := <-ran:
			if uid != d.UID {
				t.Errorf("%s ran, want %s", uid, d.UID)
			}
		case err := <-ended:
			t.Fatalf("listen returned %v", err)
		case <-time.After(wait.Timeout):
			t.Fatal("the worker was not woken")
		}
	}
	cancel()
	<-worked
}
