package dbtest

import (
	"context"
	"database/sql"
	"log"
	"net/http"
	"os"
	"os/signal"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// A program that stores before it acknowledges, and drains before it exits.
func Example() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	db, err := sql.Open("sqlite", "file:hookhouse.db?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)")
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close() // last
	inbox := sqlinbox.New(db, sqlinbox.SQLite)
	defer inbox.Close()
	if err := inbox.Migrate(ctx); err != nil {
		log.Fatal(err)
	}
	source := webhook.Source{Name: "builds", Verifier: &webhook.Token{
		Header: "X-Token", Keys: []webhook.Key{{Secret: webhook.NewSecret(os.Getenv("TOKEN"))}},
	}}
	server := &http.Server{Addr: ":8080", Handler: webhook.NewReceiver(source, webhook.Store(inbox))}
	go func() { log.Println(server.ListenAndServe()) }()
	deploy := webhook.HandlerFunc(func(ctx context.Context, d *webhook.Delivery) error { return nil })
	err = webhook.NewWorker(inbox, deploy).Run(ctx) // until interrupted
	log.Println(err, server.Shutdown(context.Background()))
}
