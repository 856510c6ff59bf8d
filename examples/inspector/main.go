// Inspector is a RequestBin of one's own: a call of any method to /in/{name} is captured and
// answered as the bin says, and shown by the inspector at /. Bins are made and set at /bins.
// README.md describes how to run it.
//
//	go run ./inspector -open
//	curl -d hello http://127.0.0.1:8080/in/demo
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

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/inspect"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr)
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "inspector:", err)
		os.Exit(1)
	}
}

// run is the whole program. It returns when ctx is done.
func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) error {
	s, err := parseSettings(args, getenv, stderr)
	if err != nil {
		return err
	}
	if s.version {
		fmt.Fprintln(stdout, "inspector", version())
		return nil
	}
	log := slog.New(slog.NewTextHandler(stderr, nil))
	slog.SetDefault(log) // used by everything without a Logger of its own
	if len(s.passwords) > 0 {
		logSecrets(log, passwordName, s.passwords)
	}
	if s.check {
		if s.database != "" {
			if err := checkStore(ctx, s.database); err != nil {
				return fmt.Errorf("-db: %w", err)
			}
		}
		log.Info("the flags, the password and the database are fine")
		return nil
	}

	// The inbox logs each delivery that is deleted by hand, which is each capture here.
	quiet := slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	inbox, table, closeInbox, err := openInbox(ctx, s, quiet)
	if err != nil {
		return fmt.Errorf("-db: %w", err)
	}
	defer closeInbox() // after Serve has returned
	p, err := newParts(ctx, s, inbox, table, log)
	if err != nil {
		return fmt.Errorf("-db: %w", err)
	}
	runners := []webhook.Runner{p.worker, p.janitor}

	public := p.routes()
	public.Handle("GET /healthz", webhook.HealthHandler(inbox, p.worker))
	var served http.Handler = public
	if s.inAddr == "" {
		served = withBins(p.intake, public)
	} else {
		alone, err := net.Listen("tcp", s.inAddr)
		if err != nil {
			return fmt.Errorf("-in-addr: %w", err)
		}
		log.Info("listening", "in", "http://"+alone.Addr().String()+binPath)
		runners = append(runners, &webhook.Service{Server: p.server(withBins(p.intake, &wrongPath{log: log})), Listener: alone})
	}
	listener, err := net.Listen("tcp", s.addr)
	if err != nil {
		return err
	}
	url := "http://" + listener.Addr().String()
	log.Info("bins are made here", "at", url+"/bins")
	log.Info("listening", "url", url)
	return webhook.Serve(ctx, p.server(served), listener, runners...)
}

// parts are what the program consists of.
type parts struct {
	intake    *intake
	worker    *webhook.Worker
	janitor   *janitor
	pages     *pages
	inspector *inspect.Inspector
	sends     *forwarder
	log       *slog.Logger
}

// newParts reads what is stored and returns the parts, which do nothing yet.
func newParts(ctx context.Context, s *settings, in inbox, table *binTable, log *slog.Logger) (*parts, error) {
	captures, err := loadCaptures(ctx, in, s)
	if err != nil {
		return nil, err
	}
	bins, err := loadBins(ctx, table, captures, s)
	if err != nil {
		return nil, err
	}
	protect := s.protect()
	inspector, err := inspect.New(in, protect)
	if err != nil {
		return nil, err
	}
	inspector.Logger = log
	inspector.Links = []inspect.Link{{Text: "Bins", URL: "bins"}}
	sends := newForwarder(bins, s.guard())
	worker := webhook.NewWorker(in, &webhook.Mux{Default: sends})
	worker.Logger = log
	worker.Concurrency = maxForwards
	worker.MaxAttempts = 1 // what is shown is what happened
	return &parts{
		intake:    newIntake(bins, s, log),
		worker:    worker,
		janitor:   &janitor{bins, log},
		pages:     newPages(bins, s, protect, log),
		inspector: inspector,
		sends:     sends,
		log:       log,
	}, nil
}

// routes returns the inspector with the pages of the bins.
func (p *parts) routes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.Handle("/", p.inspector)
	mux.Handle("/bins", p.pages)
	mux.Handle("/bins.css", p.pages)
	return mux
}

// server returns a server that ends what would last longer than a shutdown.
func (p *parts) server(routes http.Handler) *http.Server {
	server := newServer(routes, p.log)
	server.MaxHeaderBytes = maxHeader
	server.RegisterOnShutdown(p.inspector.Close)
	server.RegisterOnShutdown(p.intake.delays.end)
	return server
}
