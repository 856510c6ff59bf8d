// Jobserv-ci receives the build notifications of Foundries.io and of any other
// JobServ, stores them, and prints each build with its runs: for people, or one
// JSON line each with -json. It fetches test results and the end of the console
// log of failed runs, and runs a command for each build, if asked to. To begin
// with it, copy the folder, as the README of the examples tells.
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
)

const usage = `Receives the build notifications of JobServ at POST /webhook and prints each build. GET /healthz answers 503, and
why, when builds cannot be stored or worked off, GET /metrics is for Prometheus.

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

// run is the whole program: it stores what comes in, works it off, and stops
// when ctx ends.
func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) error {
	s, err := parseSettings(args, stderr)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(stderr, nil))
	slog.SetDefault(log) // for what has no Logger of its own
	secrets, err := readSecrets(s.secretFile)
	if err != nil {
		return fmt.Errorf("-secret-file: %w", err)
	}
	api, err := newDetails(s)
	if err != nil {
		return err
	}
	command, err := newCommand(s, getenv, stderr)
	if err != nil {
		return err
	}

	// JobServ tries four times within seven seconds and forgets the build, so it
	// is on the disk before it is acknowledged.
	inbox, err := openStore(ctx, s.database)
	if err != nil {
		return fmt.Errorf("-db: %w", err)
	}
	defer inbox.close() // last
	metrics := newMetrics(inbox.Inbox)
	receiver := webhook.NewReceiver(jobserv.Source(secrets...), webhook.Store(inbox))
	receiver.Logger, receiver.Observer = log, metrics.observer()

	// Each build is printed, in the order of its project.
	out := printer{w: stdout, asJSON: s.json}
	var builds webhook.Mux
	webhook.On(&builds, func(ctx context.Context, e *webhook.Event[jobserv.Build]) error {
		r := newResult(e.Payload)
		if err := api.fill(ctx, e, &r); err != nil {
			return err // the worker comes back to it
		}
		if err := out.print(r); err != nil || command == nil {
			return err
		}
		return queue(ctx, inbox, e.Delivery, r)
	})
	printing := webhook.NewWorker(inbox, &builds)
	printing.Logger, printing.Observer = log, metrics.observer()
	printing.Lease = lease
	workers, runners := []*webhook.Worker{printing}, []webhook.Runner{printing}

	// Its command is a delivery of its own: when it fails it is run again, and the
	// build is not printed again. Without -exec what is queued stays.
	if command != nil {
		var results webhook.Mux
		webhook.On(&results, command.run)
		running := webhook.NewWorker(inbox, &results)
		running.Logger, running.Observer = log, metrics.observer()
		running.Lease, running.Timeout = lease, s.execTimeout+time.Minute
		workers, runners = append(workers, running), append(runners, running)
	}

	server := &http.Server{
		Handler:           routes(receiver, webhook.HealthHandler(inbox, workers...), metrics.handler()),
		ReadHeaderTimeout: 5 * time.Second,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	listener, err := net.Listen("tcp", s.addr)
	if err != nil {
		return err
	}
	log.Info("listening", "url", "http://"+listener.Addr().String()+"/webhook")
	return webhook.Serve(ctx, server, listener, runners...)
}

// lease is how long the work of a killed process waits.
const lease = 10 * time.Second

// routes mounts the receiver without a method: it answers 405 itself.
func routes(receiver, health, metrics http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/webhook", receiver)
	mux.Handle("GET /healthz", health)
	mux.Handle("GET /metrics", metrics)
	return mux
}
