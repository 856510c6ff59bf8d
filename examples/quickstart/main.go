// Quickstart receives webhooks from GitHub, JobServ, Docker Hub and Kudu,
// verifies and decodes them, prints one JSON line for each, and shows them on a
// page, where they can be replayed. To start your own program from it, copy the
// folder as described in the README of the examples and replace the calls of print
// with your own work. Secrets and routes are listed by -help.
//
//	go run ./quickstart -demo          sends itself one signed sample of each sender
//	go run ./quickstart -addr :8080    receives from real senders
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

	"github.com/hookhouse/hookhouse/dockerhub"
	"github.com/hookhouse/hookhouse/github"
	"github.com/hookhouse/hookhouse/jobserv"
	"github.com/hookhouse/hookhouse/kudu"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/inspect"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr)
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "quickstart:", err)
		os.Exit(1)
	}
}

// run is the whole program: it stores deliveries, handles them, and returns when
// ctx is done.
func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) error {
	s, err := parseSettings(args, stderr)
	if err != nil {
		return err
	}
	if s.version {
		fmt.Fprintln(stdout, "quickstart", version())
		return nil
	}
	log := slog.New(slog.NewTextHandler(stderr, nil))
	slog.SetDefault(log) // used by everything without a Logger of its own

	secrets, err := readSenders(getenv, log)
	if err != nil {
		return err
	}
	if s.demo {
		if secrets, err = demoSecrets(secrets, s.addr); err != nil {
			return err
		}
	}
	if secrets.none() {
		return errNoSecrets
	}
	guard, err := readGuard(getenv, s.adminAddr)
	if err != nil {
		return err
	}
	if s.check {
		if err := checkStore(ctx, s.database); err != nil {
			return fmt.Errorf("-db: %w", err)
		}
		log.Info("the secrets and the database are fine")
		return nil
	}

	// A delivery is stored before it is acknowledged.
	if s.database == "" {
		file, remove, err := demoDatabase()
		if err != nil {
			return err
		}
		defer remove()
		s.database = file
	}
	inbox, err := openStore(ctx, s.database)
	if err != nil {
		return fmt.Errorf("-db: %w", err)
	}
	defer inbox.close() // after Serve has returned
	inspector, err := inspect.New(inbox, guard.protect)
	if err != nil {
		return err
	}
	inspector.Summarize = summarize
	sources := newSources(secrets, s.demo)
	var rest http.Handler = &wrongPath{log: log}
	if s.hasHome(guard) {
		rest = &home{inspector, rest}
	}
	hooks := routes(sources, inbox, inspector, rest, log)
	health := hooks
	var admin *adminServer
	if s.adminAddr != "" {
		health = http.NewServeMux()
		if admin, err = listenAdmin(s.adminAddr, health, inspector, log); err != nil {
			return err
		}
	}
	server := newServer(hooks, log)
	server.RegisterOnShutdown(inspector.Close) // live lists do not delay the end
	listener, err := net.Listen("tcp", listenAddr(s.addr, s.demo))
	if err != nil {
		return err
	}
	url := "http://" + listener.Addr().String()
	log.Info("listening", "url", url)
	switch {
	case s.hasHome(guard):
		log.Info("the inspector shows deliveries", "url", url+"/")
	case admin == nil:
		inspector.Calls = -1 // nobody could see them
		log.Info("the inspector is off: to see deliveries in a browser, set " + inspectName + " or add -admin-addr 127.0.0.1:8081")
	}

	// A worker then handles it: your code replaces the calls of print.
	p := &printer{w: stdout}
	var mux webhook.Mux
	webhook.On(&mux, func(ctx context.Context, e *webhook.Event[github.Push]) error {
		return p.print(ctx, e.Delivery, summarizePush(e.Payload))
	})
	webhook.On(&mux, func(ctx context.Context, e *webhook.Event[dockerhub.Push]) error {
		return p.print(ctx, e.Delivery, summarizeImage(e.Payload))
	})
	webhook.On(&mux, func(ctx context.Context, e *webhook.Event[jobserv.Build]) error {
		return p.print(ctx, e.Delivery, summarizeBuild(e.Payload))
	})
	webhook.On(&mux, func(ctx context.Context, e *webhook.Event[kudu.Deployment]) error {
		return p.print(ctx, e.Delivery, summarizeDeployment(e.Payload))
	})
	mux.Default = webhook.HandlerFunc(func(ctx context.Context, d *webhook.Delivery) error {
		return p.print(ctx, d, struct{}{}) // pings and all other types
	})

	worker := webhook.NewWorker(inbox, &mux)
	worker.Logger = log
	health.Handle("GET /healthz", webhook.HealthHandler(inbox, worker))
	runners := []webhook.Runner{worker}
	if admin != nil {
		runners = append(runners, admin)
	}

	if s.demo {
		ctx, stop := context.WithCancel(ctx)
		defer stop()
		d := newDemo(log, url, sources)
		if s.once {
			d.onFinish = stop
		}
		if admin != nil {
			d.inspector = admin.url() + inspectPath
		}
		worker.Observer = &webhook.Observer{Settled: d.settle}
		return webhook.Serve(ctx, server, listener, append(runners, d)...)
	}
	// Serve stops the servers and the worker when ctx is done or one of them fails,
	// and waits for all.
	return webhook.Serve(ctx, server, listener, runners...)
}
