// Dockerhub-deploy deploys images that are pushed to Docker Hub. When it receives
// the webhook, it asks the registry for the digest, pulls the image and replaces
// the running container. If the new container is not healthy, it restores the old
// one. To start your own program from it, copy the folder as described in the
// README of the examples.
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

// run is the whole program. It returns when ctx is done.
func run(ctx context.Context, args []string, getenv func(string) string, stderr io.Writer) error {
	o, err := parseOptions(args, stderr)
	if err != nil {
		return err
	}
	tokens, err := readTokens(getenv)
	if err != nil {
		return err
	}
	registry, err := newRegistry(o.registry, getenv)
	if err != nil {
		return fmt.Errorf("-registry: %w", err)
	}
	log := slog.New(slog.NewTextHandler(stderr, nil))
	slog.SetDefault(log) // used by everything without a Logger of its own

	// A delivery is stored before it is acknowledged.
	inbox, err := openStore(ctx, o.database)
	if err != nil {
		return fmt.Errorf("-db: %w", err)
	}
	defer inbox.close() // after everything else
	states, err := newStateStore(ctx, inbox)
	if err != nil {
		return fmt.Errorf("-db: %w", err)
	}
	strategy, err := o.newStrategy(ctx, states, log)
	if err != nil {
		return err
	}
	metrics := newMetrics(inbox.Inbox)

	source := dockerhub.Source(tokens...)
	source.Coalesce.Quiet = o.quietPeriod // merges the six requests of one push
	receiver := webhook.NewReceiver(source, webhook.Store(inbox))
	receiver.Logger, receiver.Observer = log, metrics.observer()
	routes := http.NewServeMux()
	routes.Handle("/hooks/dockerhub/{token}", receiver)
	routes.Handle("GET /metrics", metrics.handler())

	// A push becomes a deploy request for each matching target, and a request becomes
	// a deployment. Pushes and requests are stored in the inbox, so none is lost.
	d := &deployer{
		rules: o.rules, registry: registry, inbox: inbox, states: states, strategy: strategy,
		recoverTimeout: o.recoverTimeout(), log: log, onResult: metrics.deployed,
	}
	defer d.waitActive()
	mux := webhook.Mux{IgnoreUnhandled: true}
	webhook.On(&mux, d.handlePush)
	webhook.On(&mux, d.deploy)
	worker := webhook.NewWorker(inbox, &mux)
	worker.Logger, worker.Observer = log, metrics.observer()
	worker.Lease = o.lease
	worker.MaxAttempts = 12 // within about half an hour
	worker.Retry = webhook.Backoff{First: time.Second, Max: 10 * time.Minute}
	worker.Timeout = o.attemptTimeout()
	worker.ShutdownTimeout = worker.Timeout // lets a running deployment finish
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
