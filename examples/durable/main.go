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
	"github.com/hookhouse/hookhouse/webhook/inspect"
)

const usage = `Stores the pushes that GitHub sends to POST /hooks/github, and then deploys them.
GET /healthz answers 503, with the reason, if pushes cannot be stored or handled.

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
		fmt.Fprintln(os.Stderr, "durable:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("durable", flag.ContinueOnError)
	addr := flags.String("addr", ":8080", "address to listen on")
	adminAddr := flags.String("admin-addr", "", "address for /healthz and the inspector, /inspect/; if empty, -addr serves /healthz")
	database := flags.String("db", "durable.db", "SQLite file or postgres:// URL")
	check := flags.Bool("check", false, "check the secrets and the database, and exit")
	showVersion := flags.Bool("version", false, "print the version and exit")
	if err := parseFlags(flags, usage, os.Stderr, args); err != nil {
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

// deploy stands for your work. If it returns an error, the push is retried. What
// others have written is quoted, so that it cannot control a terminal.
func deploy(_ context.Context, repository, branch, commit string) error {
	fmt.Printf("deploy %q %q %q\n", repository, branch, commit)
	return nil
}
