// Go-github handles events of GitHub with the structs of google/go-github, for
// events that package github has no payload for: it prints the issues that are
// opened, and the reviews of pull requests that ask for changes. The deliveries
// are stored in SQLite before they are acknowledged. To start your own program
// from it, copy the folder as described in the README of the examples.
//
//	export GITHUB_WEBHOOK_SECRET=$(openssl rand -hex 32)
//	go run ./go-github
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

	gogithub "github.com/google/go-github/v84/github"
	_ "modernc.org/sqlite"

	"github.com/hookhouse/hookhouse/github"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "go-github:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	secret := webhook.NewSecret(os.Getenv("GITHUB_WEBHOOK_SECRET"))
	if secret.IsZero() {
		return errors.New("GITHUB_WEBHOOK_SECRET is not set")
	}
	db, err := sql.Open("sqlite", "file:go-github.db?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)")
	if err != nil {
		return err
	}
	defer db.Close() // after the inbox
	inbox := sqlinbox.New(db, sqlinbox.SQLite)
	defer inbox.Close()
	if err := inbox.Migrate(ctx); err != nil {
		return err
	}

	// The type is "github." and the event, as X-GitHub-Event names it.
	mux := webhook.Mux{IgnoreUnhandled: true}
	webhook.OnType(&mux, "github.issues", opened)
	webhook.OnType(&mux, "github.pull_request_review", reviewed)

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

// opened prints an issue that was opened. The methods of go-github's structs return
// zero values for what the body lacks.
func opened(_ context.Context, e *webhook.Event[gogithub.IssuesEvent]) error {
	if e.Payload.GetAction() != "opened" {
		return nil
	}
	issue := e.Payload.GetIssue()
	fmt.Printf("%s#%d opened by %s: %s\n", e.Payload.GetRepo().GetFullName(), issue.GetNumber(), issue.GetUser().GetLogin(), issue.GetTitle())
	return nil
}

// reviewed prints a review that asks for changes. In a webhook the state is in lower
// case; the API of GitHub returns it in upper case.
func reviewed(_ context.Context, e *webhook.Event[gogithub.PullRequestReviewEvent]) error {
	review := e.Payload.GetReview()
	if e.Payload.GetAction() != "submitted" || review.GetState() != "changes_requested" {
		return nil
	}
	fmt.Printf("%s#%d: %s asks for changes: %s\n", e.Payload.GetRepo().GetFullName(), e.Payload.GetPullRequest().GetNumber(), review.GetUser().GetLogin(), review.GetBody())
	return nil
}
