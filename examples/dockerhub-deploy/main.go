// Dockerhub-deploy deploys what is pushed to Docker Hub: told by a webhook, it
// asks the registry, pulls the image and replaces the running container, and
// goes back to the old one where the new one is not healthy. To begin with it,
// copy the folder, as the README of the examples tells.
//
//	export DOCKERHUB_WEBHOOK_TOKEN=$(openssl rand -hex 32)
//	go run ./dockerhub-deploy -watch 'acme/app:^1.4=web'
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/hookhouse/hookhouse/dockerhub"
	"github.com/hookhouse/hookhouse/webhook"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the program at once, like a kill
	err := run(ctx, os.Args[1:], os.Getenv, os.Stderr)
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "dockerhub-deploy:", err)
		os.Exit(1)
	}
}

// run is the whole program.
func run(ctx context.Context, args []string, getenv func(string) string, stderr io.Writer) error {
	o, err := parseOptions(args, stderr)
	if err != nil {
		return err
	}
	tokens, err := readTokens(getenv)
	if err != nil {
		return err
	}
	reg, err := newRegistry(o.registry, getenv)
	if err != nil {
		return fmt.Errorf("-registry: %w", err)
	}
	log := slog.New(slog.NewTextHandler(stderr, nil))
	slog.SetDefault(log) // for what has no Logger of its own

	// Calls are stored first and acknowledged second.
	inbox, err := openStore(ctx, o.database)
	if err != nil {
		return fmt.Errorf("-db: %w", err)
	}
	defer inbox.close() // last
	ledger, err := openLedger(ctx, inbox)
	if err != nil {
		return fmt.Errorf("-db: %w", err)
	}
	how, err := o.newStrategy(ctx, ledger, log)
	if err != nil {
		return err
	}
	metrics := newMetrics(inbox.Inbox)

	source := dockerhub.Source(tokens...)
	source.Coalesce.Quiet = o.quiet // six calls of one push are one
	receiver := webhook.NewReceiver(source, webhook.Store(inbox))
	receiver.Logger, receiver.Observer = log, metrics.observer()
	routes := http.NewServeMux()
	routes.Handle("/hooks/dockerhub/{token}", receiver)
	routes.Handle("GET /metrics", metrics.handler())

	// A push becomes an order for each container that it concerns; an order
	// becomes a deploy. Both wait in the inbox, so neither is lost.
	d := &deployer{
		rules: o.rules, registry: reg, inbox: inbox, ledger: ledger, strategy: how,
		patience: o.settling(), log: log, count: metrics.deployed,
	}
	defer d.wait()
	mux := webhook.Mux{IgnoreUnhandled: true}
	webhook.On(&mux, d.pushed)
	webhook.On(&mux, d.deploy)
	worker := webhook.NewWorker(inbox, &mux)
	worker.Logger, worker.Observer = log, metrics.observer()
	worker.Lease = o.lease
	worker.MaxAttempts = 12 // over about half an hour
	worker.Retry = webhook.Backoff{First: time.Second, Max: 10 * time.Minute}
	worker.Timeout = o.longest()
	worker.ShutdownTimeout = worker.Timeout // a deploy under way is not cut off
	routes.Handle("GET /healthz", webhook.HealthHandler(inbox, worker))

	listener, err := net.Listen("tcp", o.addr)
	if err != nil {
		return err
	}
	for _, r := range o.rules {
		log.Info("watching", "rule", r.text, "target", r.target)
	}
	log.Info("listening", "url", "http://"+listener.Addr().String())
	server := &http.Server{
		Handler:           routes,
		ReadHeaderTimeout: 5 * time.Second,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	return webhook.Serve(ctx, server, listener, worker)
}
