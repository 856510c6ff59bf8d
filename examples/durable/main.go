// Durable is the smallest complete service. It stores GitHub's pushes in SQLite
// before it acknowledges them, and deploys them afterwards, even if the process
// was killed in between. To start your own program from it, copy the folder as
// described in the README of the examples.
//
//	export GITHUB_WEBHOOK_SECRET=$(openssl rand -hex 32)
//	go run ./durable
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

	"github.com/hookhouse/hookhouse/github"
	"github.com/hookhouse/hookhouse/webhook"
)

const usage = `Stores the pushes that GitHub sends to POST /hooks/github, and then deploys them.
GET /healthz answers 503, with the reason, if pushes cannot be stored or handled.

    GITHUB_WEBHOOK_SECRET       secret of the webhook, at least 16 characters; to rotate it, write the new and the old
                                one on separate lines
    GITHUB_WEBHOOK_SECRET_FILE  file with the secret, instead

`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "durable:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("durable", flag.ContinueOnError)
	flags.Usage = func() { fmt.Fprint(os.Stderr, usage); flags.PrintDefaults() }
	addr := flags.String("addr", ":8080", "address to listen on")
	database := flags.String("db", "durable.db", "SQLite file or postgres:// URL")
	check := flags.Bool("check", false, "check the secrets and the database, and exit")
	showVersion := flags.Bool("version", false, "print the version and exit")
	if err := flags.Parse(args); err != nil {
		return err
	}
	switch {
	case flags.NArg() > 0:
		return fmt.Errorf("unexpected argument %q: only flags are accepted; see -help", flags.Arg(0))
	case *showVersion:
		fmt.Println("durable", version())
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
	if *check {
		if err := checkStore(ctx, *database); err != nil {
			return fmt.Errorf("-db: %w", err)
		}
		log.Info("the secrets and the database are fine")
		return nil
	}

	// GitHub sends each push once, so it must be on disk before it is acknowledged.
	inbox, err := openStore(ctx, *database)
	if err != nil {
		return fmt.Errorf("-db: %w", err)
	}
	defer inbox.close()

	mux := webhook.Mux{IgnoreUnhandled: true}
	webhook.On(&mux, func(ctx context.Context, e *webhook.Event[github.Push]) error {
		if branch, ok := e.Payload.Branch(); ok && !e.Payload.IsDeleted() {
			return deploy(ctx, e.Payload.Repository.FullName, branch, e.Payload.After)
		}
		return nil
	})

	worker := webhook.NewWorker(inbox, &mux)
	routes := http.NewServeMux()
	routes.Handle("/hooks/github", webhook.NewReceiver(github.Source(secrets...), webhook.Store(inbox)))
	routes.Handle("GET /healthz", webhook.HealthHandler(inbox, worker))
	routes.Handle("/", &wrongPath{log: log})
	listener, err := net.Listen("tcp", *addr)
	if err != nil {
		return err
	}
	log.Info("listening", "url", "http://"+listener.Addr().String())
	return webhook.Serve(ctx, newServer(routes, log), listener, worker)
}

// deploy stands for your work. If it returns an error, the push is retried. What
// others have written is quoted, so that it cannot control a terminal.
func deploy(_ context.Context, repository, branch, commit string) error {
	fmt.Printf("deploy %q %q %q\n", repository, branch, commit)
	return nil
}
