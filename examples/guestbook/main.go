// Guestbook is a guestbook whose visitors leave comments, with webhooks for each of them:
// others register a URL on its pages, and get a signed request for each comment, with
// retries over days. A comment and its event are committed together. README.md describes how
// to run it.
//
//	export GUESTBOOK_PASSWORD=$(openssl rand -hex 32)
//	go run ./guestbook
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

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/inspect"
	"github.com/hookhouse/hookhouse/webhook/publish"
	"github.com/hookhouse/hookhouse/webhook/publish/sqlstore"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "guestbook:", err)
		os.Exit(1)
	}
}

// run is the whole program. It returns when ctx is done.
func run(ctx context.Context, args []string) error {
	cfg, err := readConfig(args, os.Getenv)
	if err != nil {
		return err
	}
	if cfg.version {
		fmt.Println("guestbook", version())
		return nil
	}
	log := slog.Default()
	if cfg.declare {
		return cfg.broker.declareQueues(ctx, log)
	}
	if !cfg.worker {
		logSecrets(log, passwordName, cfg.passwords)
	}
	log.Info("secrets are read", "name", sealKeyName, "live", len(cfg.sealKeys))
	if cfg.check {
		return checkAll(ctx, cfg, log)
	}
	if cfg.broker != nil {
		if err := cfg.broker.refused(ctx, log); err != nil {
			return err
		}
	}

	// The comments, the events and the webhooks are in one database.
	store, err := openStore(ctx, cfg.database)
	if err != nil {
		return fmt.Errorf("-db: %w", err)
	}
	defer store.close() // after Serve has returned
	publisher, err := newPublisher(ctx, cfg, store)
	if err != nil {
		return fmt.Errorf("-db: %w", err)
	}
	comments, err := newComments(ctx, store, publisher)
	if err != nil {
		return fmt.Errorf("-db: %w", err)
	}

	// A process serves the pages, sends to the webhooks, or does both.
	queue := newEventQueue(cfg, store, publisher)
	defer queue.close()
	runners := queue.runners
	var workers []*webhook.Worker
	if !cfg.web {
		runners, workers = append(runners, publisher), publisher.Workers()
	}
	// The inspector shows what is sent: the comments that are published, and a delivery to
	// each webhook.
	inspector, err := inspect.New(store, cfg.inspectorGuard.protect)
	if err != nil {
		return err
	}
	private := probes(probe{store, queue}, publisher, workers)
	admin, err := listenAdmin(cfg.adminAddr, private, inspector, log)
	if err != nil {
		return err
	}
	if admin != nil {
		runners = append(runners, admin)
	}
	if cfg.worker {
		return work(ctx, runners, log)
	}
	public := http.NewServeMux()
	if cfg.adminAddr == "" {
		public.Handle("GET /healthz", private)
	}
	site := &site{comments: comments, publisher: publisher, passwords: cfg.passwords, log: log}
	site.mount(public)
	listener, err := net.Listen("tcp", cfg.addr)
	if err != nil {
		return err
	}
	log.Info("listening", "url", "http://"+listener.Addr().String())
	return webhook.Serve(ctx, newServer(site.protected(public), log), listener, runners...)
}

// checkAll returns an error if the start would fail, or if RabbitMQ is away. It creates nothing.
func checkAll(ctx context.Context, cfg *config, log *slog.Logger) error {
	if err := checkDatabase(ctx, cfg); err != nil {
		return err
	}
	if cfg.broker != nil {
		if err := cfg.broker.check(ctx); err != nil {
			return err
		}
	}
	log.Info("the flags, the secrets and the servers are fine")
	return nil
}

// newPublisher returns the publisher, whose webhooks are in the database of the comments.
func newPublisher(ctx context.Context, cfg *config, store *store) (*publish.Publisher, error) {
	store.db.SetMaxOpenConns(connections)
	store.db.SetMaxIdleConns(connections)
	endpoints := sqlstore.New(store.Inbox)
	endpoints.SealKeys = cfg.sealKeys
	if err := endpoints.Migrate(ctx); err != nil {
		return nil, err
	}
	publisher := publish.New(store.Inbox, endpoints)
	publisher.EventTypes = eventTypes
	publisher.Guard = cfg.guard
	publisher.UserAgent = "Guestbook"
	return publisher, nil
}
