// Jobserv-ci receives the build notifications of Foundries.io and of any other
// JobServ, stores them, and prints each build with its runs, as text or, with
// -json, as one JSON line. If configured, it fetches test results and the end of
// the console logs of failed runs, and runs a command for each build. To start
// your own program from it, copy the folder as described in the README of the
// examples.
//
//	openssl rand -hex 32 > webhook-secret
//	go run ./jobserv-ci
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

	"github.com/hookhouse/hookhouse/jobserv"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/inspect"
	"github.com/hookhouse/hookhouse/webhook/prom"
)

const usage = `Receives the build notifications of JobServ at POST /webhook and prints each build.
GET /healthz answers 503, with the reason, if builds cannot be stored or handled. GET /metrics is for Prometheus.

Secrets are read from a variable, or from a file that a flag or a variable names:

    JOBSERV_WEBHOOK_SECRET, JOBSERV_WEBHOOK_SECRET_FILE, -secret-file
        secret of the webhook, at least 16 characters; to rotate it, write the new and the old one on separate lines
    JOBSERV_API_TOKEN, JOBSERV_API_TOKEN_FILE, -token-file
        token for the API of -api; to look for missed builds, that of Foundries.io needs the scope ci:read
    INSPECTOR_PASSWORD, INSPECTOR_PASSWORD_FILE
        password of the inspector; not needed if -admin-addr is on this machine alone, such as 127.0.0.1:8081

`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr)
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "jobserv-ci:", err)
		os.Exit(1)
	}
}

// run is the whole program: it stores notifications, handles them, and returns
// when ctx is done.
func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) error {
	s, err := parseSettings(args, stderr)
	if err != nil {
		return err
	}
	if s.version {
		fmt.Fprintln(stdout, "jobserv-ci", version())
		return nil
	}
	log := slog.New(slog.NewTextHandler(stderr, nil))
	slog.SetDefault(log) // used by everything without a Logger of its own
	secrets, err := hookSecrets(s, getenv)
	if err != nil {
		return err
	}
	logSecrets(log, secretName, secrets)
	guard, err := readGuard(getenv, s.adminAddr)
	if err != nil {
		return err
	}
	api, err := newDetails(s, getenv)
	if err != nil {
		return err
	}
	cmd, err := newCommand(s, getenv, stderr)
	if err != nil {
		return err
	}

	if s.check {
		if err := checkStore(ctx, s.database); err != nil {
			return fmt.Errorf("-db: %w", err)
		}
		log.Info("the flags, the secrets and the database are fine")
		return nil
	}

	// JobServ makes four attempts within seven seconds and then drops the
	// notification, so it must be on disk before it is acknowledged.
	inbox, err := openStore(ctx, s.database)
	if err != nil {
		return fmt.Errorf("-db: %w", err)
	}
	defer inbox.close() // after Serve has returned
	metrics := prom.New(jobserv.Build{}.EventType(), result{}.EventType())
	inbox.Observer = metrics.InboxObserver()
	source := jobserv.Source(secrets...)
	receiver := webhook.NewReceiver(source, webhook.Store(inbox))
	receiver.Logger = log
	observers := []*webhook.Observer{metrics.Observer()}
	var runners []webhook.Runner
	looks := make(map[string]func() prom.CatchUpStatus)
	for i, c := range newCatchUps(s, api.client, source, inbox, log) {
		observers, runners = append(observers, c.Observer()), append(runners, c)
		looks[s.projects[i]] = statusOf(c)
	}
	receiver.Observer = webhook.MultiObserver(observers...)

	// Each build is printed. The builds of a project are printed in order.
	out := printer{w: stdout, asJSON: s.json}
	var builds webhook.Mux
	webhook.On(&builds, func(ctx context.Context, e *webhook.Event[jobserv.Build]) error {
		r := newResult(e.Payload)
		if err := api.fill(ctx, e, &r); err != nil {
			return err // the worker retries the delivery
		}
		if err := out.print(r); err != nil || cmd == nil {
			return err
		}
		return queue(ctx, inbox, e.Delivery, r)
	})
	printWorker := webhook.NewWorker(inbox, &builds)
	printWorker.Logger, printWorker.Observer = log, metrics.Observer()
	printWorker.Lease = lease
	workers, runners := []*webhook.Worker{printWorker}, append(runners, printWorker)
	byName := map[string]*webhook.Worker{"builds": printWorker}

	// The command of a build is a delivery of its own, so a failed command is retried
	// without printing the build again. Without -exec, queued commands stay queued.
	if cmd != nil {
		var results webhook.Mux
		webhook.On(&results, cmd.run)
		cmd.isLate = inbox.Stale
		commandWorker := webhook.NewWorker(overtaking{inbox, s.execBlock}, &results)
		commandWorker.Logger, commandWorker.Observer = log, metrics.Observer()
		commandWorker.Lease, commandWorker.Timeout = lease, s.execTimeout+time.Minute
		workers, runners = append(workers, commandWorker), append(runners, commandWorker)
		byName["commands"] = commandWorker
	}

	inspector, err := inspect.New(inbox, guard.protect)
	if err != nil {
		return err
	}
	inspector.Summarize = jobserv.Summary

	// The receiver is mounted without a method: it answers 405 itself.
	public, private := http.NewServeMux(), http.NewServeMux()
	if s.adminAddr == "" {
		private = public
	}
	public.Handle("/webhook", inspector.Watch(source, receiver))
	public.Handle("/", &wrongPath{log: log})
	private.Handle("GET /healthz", webhook.HealthHandler(inbox, workers...))
	private.Handle("GET /metrics", prom.Handler(metrics, metrics.Stats(inbox), prom.Health(byName), prom.CatchUps(looks)))
	admin, err := listenAdmin(s.adminAddr, private, inspector, log)
	if err != nil {
		return err
	}
	if admin != nil {
		runners = append(runners, admin)
	}
	listener, err := net.Listen("tcp", s.addr)
	if err != nil {
		return err
	}
	log.Info("listening", "url", "http://"+listener.Addr().String()+"/webhook")
	return webhook.Serve(ctx, newServer(public, log), listener, runners...)
}

// lease is the delay before the deliveries of a killed process run again.
const lease = 10 * time.Second
