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
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"

	gogithub "github.com/google/go-github/v84/github"

	"github.com/hookhouse/hookhouse/github"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/inspect"
)

const usage = `Prints the issues and the reviews that GitHub sends to POST /hooks/github.
GET /healthz answers 503, with the reason, if events cannot be stored or handled.

    GITHUB_WEBHOOK_SECRET       secret of the webhook, at least 16 characters; to rotate it, write the new and the old
                                one on separate lines
    GITHUB_WEBHOOK_SECRET_FILE  file with the secret, instead
    INSPECTOR_PASSWORD          password of the inspector, or INSPECTOR_PASSWORD_FILE; not needed if -admin-addr is on
                                this machine alone, such as 127.0.0.1:8081

`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "go-github:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("go-github", flag.ContinueOnError)
	addr := flags.String("addr", ":8080", "address to listen on")
	adminAddr := flags.String("admin-addr", "", "address for /healthz and the inspector, /inspect/; if empty, -addr serves /healthz")
	database := flags.String("db", "go-github.db", "SQLite file or postgres:// URL")
	check := flags.Bool("check", false, "check the secrets and the database, and exit")
	showVersion := flags.Bool("version", false, "print the version and exit")
	if err := parseFlags(flags, usage, os.Stderr, args); err != nil {
		return err
	}
	switch {
	case flags.NArg() > 0:
		return fmt.Errorf("unexpected argument %q: only flags are accepted; see -help", flags.Arg(0))
	case *showVersion:
		fmt.Println("go-github", version())
		return nil
	}
	log := slog.Default()
	secrets, err := readSecrets(os.Getenv, "GITHUB_WEBHOOK_SECRET")
	if err != nil {
		return err
	}
	if len(secrets) == 0 {
		return errors.New("GITHUB_WEBHOOK_SECRET is not set; create one: openssl rand -hex 32")
	}
	logSecrets(log, "GITHUB_WEBHOOK_SECRET", secrets)
	guard, err := readGuard(os.Getenv, *adminAddr)
	if err != nil {
		return err
	}
	if *check {
		if err := checkStore(ctx, *database); err != nil {
			return fmt.Errorf("-db: %w", err)
		}
		log.Info("the secrets and the database are fine")
		return nil
	}

	// GitHub sends each event once, so it must be on disk before it is acknowledged.
	inbox, err := openStore(ctx, *database)
	if err != nil {
		return fmt.Errorf("-db: %w", err)
	}
	defer inbox.close()

	// The type is "github." and the event, as X-GitHub-Event names it.
	mux := webhook.Mux{IgnoreUnhandled: true}
	webhook.OnType(&mux, "github.issues", opened)
	webhook.OnType(&mux, "github.pull_request_review", reviewed)

	worker := webhook.NewWorker(inbox, &mux)
	inspector, err := inspect.New(inbox, guard.protect)
	if err != nil {
		return err
	}
	inspector.Summarize = github.Summary
	source := github.Source(secrets...)
	public, private := http.NewServeMux(), http.NewServeMux()
	if *adminAddr == "" {
		private = public
	}
	public.Handle("/hooks/github", inspector.Watch(source, webhook.NewReceiver(source, webhook.Store(inbox))))
	private.Handle("GET /healthz", webhook.HealthHandler(inbox, worker))
	public.Handle("/", &wrongPath{log: log})
	runners := []webhook.Runner{worker}
	admin, err := listenAdmin(*adminAddr, private, inspector, log)
	if err != nil {
		return err
	}
	if admin != nil {
		runners = append(runners, admin)
	}
	listener, err := net.Listen("tcp", *addr)
	if err != nil {
		return err
	}
	log.Info("listening", "url", "http://"+listener.Addr().String())
	return webhook.Serve(ctx, newServer(public, log), listener, runners...)
}

// opened prints an issue that was opened. The methods of go-github's structs return
// zero values for what the body lacks. What others have written is quoted, so that it
// cannot control a terminal.
func opened(_ context.Context, e *webhook.Event[gogithub.IssuesEvent]) error {
	if e.Payload.GetAction() != "opened" {
		return nil
	}
	issue := e.Payload.GetIssue()
	fmt.Printf("%q #%d opened by %q: %q\n", e.Payload.GetRepo().GetFullName(), issue.GetNumber(), issue.GetUser().GetLogin(), issue.GetTitle())
	return nil
}

// reviewed prints a review that asks for changes. In a webhook the state is in lower
// case; the API of GitHub returns it in upper case.
func reviewed(_ context.Context, e *webhook.Event[gogithub.PullRequestReviewEvent]) error {
	review := e.Payload.GetReview()
	if e.Payload.GetAction() != "submitted" || review.GetState() != "changes_requested" {
		return nil
	}
	fmt.Printf("%q #%d: %q asks for changes: %q\n", e.Payload.GetRepo().GetFullName(), e.Payload.GetPullRequest().GetNumber(), review.GetUser().GetLogin(), review.GetBody())
	return nil
}
