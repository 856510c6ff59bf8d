// Kudu-notify tells people how the deployments and WebJobs of an Azure site
// end. It subscribes itself at the site, stores what Kudu sends before it
// answers, and tells Slack, mailboxes, a URL, or all of them: each as a piece of
// work of its own that is tried again for a day. README.md tells how to run it.
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

	"github.com/hookhouse/hookhouse/kudu"
	"github.com/hookhouse/hookhouse/webhook"
)

// statusMend is the exit status where somebody has to mend something, and a
// restart would do no more than ask the site again: EX_CONFIG of sysexits.h. All
// other failures end with 1.
const statusMend = 78

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	cfg, err := readConfig(os.Args[1:], os.Getenv, os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return
	case err != nil:
		exit(statusMend, err)
	}
	switch err := run(ctx, cfg, os.Stderr); {
	case hopeless(err):
		exit(statusMend, err)
	case err != nil:
		exit(1, err)
	}
}

func exit(status int, err error) {
	fmt.Fprintln(os.Stderr, "kudu-notify:", err)
	os.Exit(status)
}

// run is the whole program, until ctx ends.
func run(ctx context.Context, cfg *config, stderr io.Writer) error {
	log := slog.New(slog.NewTextHandler(stderr, nil))
	slog.SetDefault(log) // for what has no Logger of its own
	site, err := kudu.NewClient(cfg.site, cfg.credentials)
	if err != nil {
		return fmt.Errorf("-site: %w", err)
	}
	retry := webhook.Backoff{First: cfg.retry, Max: 10 * time.Minute}
	hooks := &subscriber{site: site, hooks: cfg.hooks(), retry: retry, log: log}
	if cfg.unsubscribe {
		return hooks.remove(ctx)
	}

	// Kudu calls once and never again: what is answered with 202 is on the disk.
	store, err := openStore(ctx, cfg.database)
	if err != nil {
		return fmt.Errorf("-db: %w", err)
	}
	defer store.close() // last
	if hooks.known, err = newLedger(ctx, store.db, cfg.site, cfg.public); err != nil {
		return fmt.Errorf("-db: %w", err)
	}
	metrics := newMetrics(store.Inbox)
	receiver := webhook.NewReceiver(kudu.BasicSource(cfg.passwords...), webhook.Store(store))
	receiver.Logger, receiver.Observer = log, metrics.observer()

	routes := http.NewServeMux()
	for _, event := range events {
		routes.Handle(event.path, withChannel(receiver)) // two, since a URL is good for one event
	}
	routes.Handle("GET /metrics", metrics.handler())

	// First step: of a deployment or a run it is decided whether somebody is
	// told. What is to be told is stored, once for each target.
	judge, err := newJudge(ctx, store, cfg.rules, cfg.targets)
	if err != nil {
		return fmt.Errorf("-db: %w", err)
	}
	var outcomes webhook.Mux
	webhook.On(&outcomes, func(ctx context.Context, e *webhook.Event[kudu.Deployment]) error {
		return judge.decide(ctx, e.Delivery, ofDeployment(e))
	})
	webhook.On(&outcomes, func(ctx context.Context, e *webhook.Event[kudu.TriggeredJobRun]) error {
		return judge.decide(ctx, e.Delivery, ofJob(e))
	})
	outcomes.Route("kudu.unknown", webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error {
		return webhook.ErrIgnored
	}))

	// Second step: one target is told. Slack may be down while mail is sent, and a
	// notice that does not get through is not in the way of all later ones.
	workers := []*webhook.Worker{webhook.NewWorker(store, &outcomes)}
	tellers := &teller{store, cfg.targets, cfg.hold, retry}
	for _, kind := range kinds {
		workers = append(workers, tellers.worker(kind))
	}
	runners := []webhook.Runner{hooks}
	for _, worker := range workers {
		worker.Logger, worker.Observer = log, metrics.observer()
		worker.Lease = 10 * time.Second // so long waits what a killed process was at
		worker.Retry = retry
		worker.MaxAttempts = 200 // about a day
		runners = append(runners, worker)
	}
	routes.Handle("GET /healthz", webhook.HealthHandler(store, workers...))

	listener, err := net.Listen("tcp", cfg.addr)
	if err != nil {
		return err
	}
	log.Info("listening", "url", "http://"+listener.Addr().String())
	server := &http.Server{
		Handler:           routes,
		ReadHeaderTimeout: 5 * time.Second,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	// The site may call at once, and whether or not it can be subscribed to now.
	return webhook.Serve(ctx, server, listener, runners...)
}
