package dbtest

import (
	"context"
	"database/sql"
	"log"
	"os"
	"os/signal"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// Receivers and workers in several processes on one PostgreSQL: a worker claims at once what
// another process has stored. If a notification is lost, it claims after its PollInterval.
func Example_wake() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	db, err := sql.Open("pgx", os.Getenv("DATABASE_URL"))
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	inbox := sqlinbox.New(db, sqlinbox.PostgreSQL)
	defer inbox.Close()
	stored, wake := make(chan struct{}, 1), make(chan struct{}, 1)

	// In each process with a Receiver.
	inbox.Observer = &sqlinbox.Observer{Stored: func(context.Context, *webhook.Delivery, time.Duration) { trySend(stored) }}
	go notify(ctx, db, stored)

	// In each process with a Worker.
	inbox.Wake = wake
	go func() {
		for ctx.Err() == nil {
			log.Println(listen(ctx, os.Getenv("DIRECT_DATABASE_URL"), wake))
			select {
			case <-time.After(time.Second):
			case <-ctx.Done():
			}
		}
	}()
	if err := inbox.Migrate(ctx); err != nil {
		log.Fatal(err)
	}
	deploy := webhook.HandlerFunc(func(ctx context.Context, d *webhook.Delivery) error { return nil })
	log.Println(webhook.NewWorker(inbox, deploy).Run(ctx))
}

// trySend sends a signal unless one waits already.
func trySend(signals chan<- struct{}) {
	select {
	case signals <- struct{}{}:
	default:
	}
}

// notify tells the workers that something was stored, until ctx ends. Its statements wait for
// no disk, and Puts do not wait for them.
func notify(ctx context.Context, db *sql.DB, stored <-chan struct{}) {
	for {
		select {
		case <-stored:
			if _, err := db.ExecContext(ctx, "NOTIFY hookhouse"); err != nil {
				log.Println(err) // workers poll
			}
		case <-ctx.Done():
			return
		}
	}
}

// listen sends a signal at each notification, and one at first, since what came before was
// missed. It needs a direct connection: a pooler in transaction mode passes no notification
// on.
func listen(ctx context.Context, dsn string, wake chan<- struct{}) error {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.Background()) }()
	if _, err := conn.Exec(ctx, "LISTEN hookhouse"); err != nil {
		return err
	}
	for {
		trySend(wake)
		if _, err := conn.WaitForNotification(ctx); err != nil {
			return err
		}
	}
}
