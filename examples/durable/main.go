// Durable is the smallest complete service. It stores GitHub's pushes in SQLite
// before it acknowledges them, and deploys them afterwards, even if the process
// was killed in between. To start your own program from it, copy the folder as
// described in the README of the examples.
//
//	export GITHUB_WEBHOOK_SECRET=$(openssl rand -hex 32)
//	go run ./durable
package main

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	_ "modernc.org/sqlite"

	"github.com/hookhouse/hookhouse/github"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "durable:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	secret := webhook.NewSecret(os.Getenv("GITHUB_WEBHOOK_SECRET"))
	if secret.IsZero() {
		return errors.New("GITHUB_WEBHOOK_SECRET is not set")
	}

	// GitHub sends each push once, so it must be on disk before it is acknowledged.
	db, err := sql.Open("sqlite", "file:durable.db?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)")
	if err != nil {
		return err
	}
	defer db.Close() // after the inbox
	inbox := sqlinbox.New(db, sqlinbox.SQLite)
	defer inbox.Close()
	if err := inbox.Migrate(ctx); err != nil {
		return err
	}

	mux := webhook.Mux{IgnoreUnhandled: true}
	webhook.On(&mux, func(ctx context.Context, e *webhook.Event[github.Push]) error {
		if branch, ok := e.Payload.Branch(); ok && !e.Payload.IsDeleted() {
			return deploy(ctx, e.Payload.Repository.FullName, branch, e.Payload.After)
		}
		return nil
	})

	worker := webhook.NewWorker(inbox, &mux)
	routes := http.NewServeMux()
	routes.Handle("/hooks/github", webhook.NewReceiver(github.Source(secret), webhook.Store(inbox)))
	routes.Handle("GET /healthz", webhook.HealthHandler(inbox, worker))
	server := http.Server{Handler: routes, ReadHeaderTimeout: 5 * time.Second}
	listener, err := net.Listen("tcp", cmp.Or(os.Getenv("ADDR"), ":8080"))
	if err != nil {
		return err
	}
	log.Println("listening on", listener.Addr())

	return webhook.Serve(ctx, &server, listener, worker)
}

// deploy stands for your work. If it returns an error, the push is retried.
func deploy(_ context.Context, repository, branch, commit string) error {
	fmt.Println("deploy", repository, branch, commit)
	return nil
}
