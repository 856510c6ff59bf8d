// Kudu-notify notifies people of the results of the deployments and WebJobs of
// Azure sites. It subscribes itself at the sites, stores what Kudu sends before it
// answers, and sends notices to Slack, to mailboxes, to a URL, or to all of them.
// Each notice is retried separately for a day. README.md describes how to run it.
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
	"github.com/hookhouse/hookhouse/webhook/inspect"
	"github.com/hookhouse/hookhouse/webhook/prom"
)

// exitConfig is the exit status for an error that only a change of the
// configuration can fix, so that a restart is useless: EX_CONFIG of sysexits.h.
// The status of all other failures is 1.
const exitConfig = 78

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	cfg, err := readConfig(os.Args[1:], os.Getenv, os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return
	case err != nil:
		exit(exitConfig, err)
	}
	switch err := run(ctx, cfg, os.Stderr); {
	case isConfigError(err):
		exit(exitConfig, err)
	case err != nil:
		exit(1, err)
	}
}

func exit(status int, err error) {
	fmt.Fprintln(os.Stderr, "kudu-notify:", err)
	os.Exit(status)
}

// run is the whole program. It returns when ctx is done.
func run(ctx context.Context, cfg *config, stderr io.Writer) error {
	if cfg.version {
		fmt.Println("kudu-notify", version())
		return nil
	}
	log := slog.New(slog.NewTextHandler(stderr, nil))
	slog.SetDefault(log) // used by everything without a Logger of its own
	retry := webhook.Backoff{First: cfg.retry, Max: 10 * time.Minute}
	var hooks []*subscriber
	for _, at := range cfg.sites {
		client, err := kudu.NewClient(at.url, at.credentials)
		if err != nil {
			return fmt.Errorf("-site: %w", err)
		}
		hooks = append(hooks, &subscriber{url: at.url, site: client, hooks: cfg.hooks(at), retry: retry, log: log})
	}
	if cfg.unsubscribe {
		return unsubscribe(ctx, hooks)
	}
	logSecrets(log, passwordName, cfg.passwords)
	switch {
	case cfg.check:
		return checkAll(ctx, cfg, log)
	case cfg.test:
		return sendTest(ctx, cfg.targets, log)
	}

	// Kudu sends each event once, so it must be on disk before it is acknowledged.
	store, err := openStore(ctx, cfg.database)
	if err != nil {
		return fmt.Errorf("-db: %w", err)
	}
	defer store.close() // after Serve has returned
	subscriptions, err := newSubscriptions(ctx, store.db, cfg.sites, cfg.public)
	if err != nil {
		return fmt.Errorf("-db: %w", err)
	}
	if err := newMarks(ctx, store); err != nil {
		return fmt.Errorf("-db: %w", err)
	}
	metrics := prom.New(types()...)
	store.Observer = metrics.InboxObserver()
	source := kudu.BasicSource(cfg.passwords...)
	receiver := webhook.NewReceiver(source, webhook.Store(store))
	receiver.Logger = log
	observers := []*webhook.Observer{metrics.Observer()}
	var runners []webhook.Runner
	looks := make(map[string]func() prom.CatchUpStatus)
	for i, at := range hooks {
		at.subscriptions = subscriptions
		runners = append(runners, at)
		for _, c := range newCatchUps(cfg, cfg.sites[i], at.site, source, store, log) {
			observers, runners = append(observers, c.Observer()), append(runners, c)
			looks[c.String()] = statusOf(c)
		}
	}
	receiver.Observer = webhook.MultiObserver(observers...)
	inspector, err := inspect.New(store, cfg.guard.protect)
	if err != nil {
		return err
	}
	inspector.Summarize = kudu.Summary

	public, private := http.NewServeMux(), http.NewServeMux()
	if cfg.adminAddr == "" {
		private = public
	}
	for _, event := range events {
		public.Handle(event.path, inspector.Watch(source, withChannel(receiver))) // Kudu allows one event per URL
	}
	public.Handle("/", &wrongPath{log: log})

	// Step 1: decide whether to send notices of a deployment or a job, and store one
	// notice for each target.
	dispatcher, err := newDispatcher(ctx, store, cfg)
	if err != nil {
		return fmt.Errorf("-db: %w", err)
	}
	var outcomes webhook.Mux
	webhook.On(&outcomes, func(ctx context.Context, e *webhook.Event[kudu.Deployment]) error {
		return dispatcher.dispatch(ctx, e.Delivery, newDeploymentOutcome(e))
	})
	webhook.On(&outcomes, func(ctx context.Context, e *webhook.Event[kudu.TriggeredJobRun]) error {
		return dispatcher.dispatch(ctx, e.Delivery, newJobOutcome(e))
	})
	outcomes.Route("kudu.unknown", webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error {
		return webhook.ErrIgnored
	}))

	// Step 2: send each notice to its target. Mail is sent while Slack is down, and a
	// failing notice does not block all later ones.
	workers := []*webhook.Worker{webhook.NewWorker(store, &outcomes)}
	byName := map[string]*webhook.Worker{"outcomes": workers[0]}
	sender := &sender{store, cfg.targets, cfg.blockTimeout}
	for _, kind := range kinds {
		byName[kind] = sender.worker(kind)
		workers = append(workers, byName[kind])
	}
	for _, worker := range workers {
		worker.Logger, worker.Observer = log, metrics.Observer()
		worker.Lease = 10 * time.Second // the delay before a killed process's deliveries run again
		worker.Retry = retry
		worker.MaxAttempts = 200 // about a day
		runners = append(runners, worker)
	}
	private.Handle("GET /healthz", webhook.HealthHandler(store, workers...))
	private.Handle("GET /metrics", prom.Handler(metrics, metrics.Stats(store), prom.Health(byName), prom.CatchUps(looks)))
	admin, err := listenAdmin(cfg.adminAddr, private, inspector, log)
	if err != nil {
		return err
	}
	if admin != nil {
		runners = append(runners, admin)
	}

	listener, err := net.Listen("tcp", cfg.addr)
	if err != nil {
		return err
	}
	log.Info("listening", "url", "http://"+listener.Addr().String())
	// The program accepts events at once, even if a subscription fails.
	return webhook.Serve(ctx, newServer(public, log), listener, runners...)
}

// types returns the types of the program's deliveries, which are labels of its metrics.
func types() []string {
	all := []string{kudu.Deployment{}.EventType(), kudu.TriggeredJobRun{}.EventType(), "kudu.unknown"}
	for _, kind := range kinds {
		all = append(all, noticeType(kind))
	}
	return all
}
