// Dockerhub-deploy deploys images that are pushed to Docker Hub: as containers that
// files of options declare, as services of Compose files, or by a program. When it
// receives the webhook, it asks the registry for the digest and replaces what runs. If
// the new container is not healthy, it restores the old one. To start your own program
// from it, copy the folder as described in the README of the examples.
//
//	export DOCKERHUB_WEBHOOK_TOKEN=$(openssl rand -hex 32)
//	go run ./dockerhub-deploy -watch 'acme/app:^1.4=run:web.options'
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
	"github.com/hookhouse/hookhouse/examples/dockerhub-deploy/notice"
	"github.com/hookhouse/hookhouse/examples/dockerhub-deploy/stored"
	"github.com/hookhouse/hookhouse/examples/dockerhub-deploy/target"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/inspect"
	"github.com/hookhouse/hookhouse/webhook/prom"
)

func main() {
	if len(os.Args) > 2 && os.Args[1] == target.SuperviseArg {
		target.Supervise(os.Args[2:])
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the program at once, like a kill
	err := run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr)
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "dockerhub-deploy:", err)
		os.Exit(1)
	}
}

// run is the whole program. It returns when ctx is done.
func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) error {
	o, err := parseOptions(args, stderr)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(stderr, nil))
	slog.SetDefault(log) // used by everything without a Logger of its own
	switch {
	case o.version:
		fmt.Fprintln(stdout, "dockerhub-deploy", version())
		return nil
	case o.printOptions != "":
		e, err := o.newEngine(log)
		if err != nil {
			return err
		}
		return target.PrintOptions(ctx, e, stdout, o.printOptions)
	}
	tokens, err := readTokens(getenv)
	if err != nil {
		return err
	}
	logSecrets(log, tokenName, tokens)
	guard, err := readGuard(getenv, o.adminAddr)
	if err != nil {
		return err
	}
	images, err := o.newRegistry(getenv)
	if err != nil {
		return fmt.Errorf("-registry: %w", err)
	}
	channels, err := newChannels(o, getenv)
	if err != nil {
		return err
	}
	if o.check {
		return o.checkAll(ctx, images, log)
	}

	// A delivery is stored before it is acknowledged.
	inbox, err := openStore(ctx, o.database)
	if err != nil {
		return fmt.Errorf("-db: %w", err)
	}
	defer inbox.close() // after everything else
	states, err := stored.NewStates(ctx, inbox.Inbox)
	if err != nil {
		return fmt.Errorf("-db: %w", err)
	}
	targets, engine, err := o.newTargets(ctx, states, log)
	if err != nil {
		return err
	}
	metrics, deployed := prom.New(dockerhub.Push{}.EventType(), "dockerhub.unknown", deployOrder{}.EventType(), notice.Notice{}.EventType()), newDeployCounter()
	inbox.Observer = metrics.InboxObserver()

	source := dockerhub.Source(tokens...)
	source.Coalesce.Quiet = o.quietPeriod // merges the six requests of one push
	receiver := webhook.NewReceiver(source, webhook.Store(inbox))
	receiver.Logger, receiver.Observer = log, metrics.Observer()

	// A push becomes an order for each matching target, an order becomes a deployment,
	// and a result becomes a notice for each channel. All of them are stored in the
	// inbox, so none is lost.
	d := &deployer{
		rules: o.rules, registry: images, inbox: inbox, states: states, targets: targets, engine: engine,
		waits: waits{o.registryRetry}, notify: channels, recoverTimeout: o.recoverTimeout(), log: log,
		onResult: func(target, outcome string) { deployed.WithLabelValues(target, outcome).Inc() },
	}
	defer d.waitActive()
	var deploys, notices webhook.Mux
	webhook.On(&deploys, d.handlePush)
	webhook.On(&deploys, d.deploy)
	deploys.Route("dockerhub.unknown", webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error { return webhook.ErrIgnored }))
	webhook.On(&notices, d.sendNotice)
	deployWorker, noticeWorker := webhook.NewWorker(inbox, &deploys), webhook.NewWorker(inbox, &notices)
	deployWorker.MaxAttempts = 12 // within about half an hour
	deployWorker.Timeout = o.attemptTimeout()
	deployWorker.ShutdownTimeout = deployWorker.Timeout // lets a running deployment finish
	noticeWorker.MaxAttempts = 200                      // about a day
	noticeWorker.Timeout = 2 * notice.Timeout
	workers, runners := []*webhook.Worker{deployWorker, noticeWorker}, []webhook.Runner{&lookup{d, o.poll}}
	for _, w := range workers {
		w.Logger, w.Observer, w.Lease = log, metrics.Observer(), o.lease
		w.Retry = webhook.Backoff{First: time.Second, Max: 10 * time.Minute}
		runners = append(runners, w)
	}

	inspector, err := inspect.New(inbox, guard.protect)
	if err != nil {
		return err
	}
	inspector.Summarize = dockerhub.Summary
	public, private := http.NewServeMux(), http.NewServeMux()
	if o.adminAddr == "" {
		private = public
	}
	public.Handle("/hooks/dockerhub/{token}", inspector.Watch(source, receiver))
	public.Handle("/", &wrongPath{log: log})
	private.Handle("GET /healthz", webhook.HealthHandler(inbox, workers...))
	private.Handle("GET /metrics", prom.Handler(metrics, metrics.Stats(inbox), deployed,
		prom.Health(map[string]*webhook.Worker{"deploys": deployWorker, "notices": noticeWorker})))
	admin, err := listenAdmin(o.adminAddr, private, inspector, log)
	if err != nil {
		return err
	}
	if admin != nil {
		runners = append(runners, admin)
	}
	listener, err := net.Listen("tcp", o.addr)
	if err != nil {
		return err
	}
	for _, r := range o.rules {
		log.Info("watching", "rule", r.Text, "target", r.Target)
	}
	log.Info("listening", "url", "http://"+listener.Addr().String())
	defer context.AfterFunc(ctx, func() {
		log.Info("stopping: running deployments finish first; a second signal ends the program at once")
	})()
	return webhook.Serve(ctx, newServer(public, log), listener, runners...)
}
