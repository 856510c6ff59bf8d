// Edge is a service on several machines. It accepts webhooks where they arrive, passes them
// through RabbitMQ, and handles them behind PostgreSQL. Any part may be away or killed for
// a while, and no call that is answered 202 gets lost. README.md describes how to run it.
//
//	edge Receivers ─► Spool ─► RabbitMQ ─► Relay ─► PostgreSQL ─► Worker
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "edge:", err)
		os.Exit(1)
	}
}

// run is the whole program. It returns when ctx is done.
func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) error {
	s, err := readSettings(args, getenv, stderr)
	if err != nil {
		return err
	}
	if s.version {
		fmt.Fprintln(stdout, "edge", version())
		return nil
	}
	log := slog.Default()
	for _, one := range s.senders {
		logSecrets(log, one.name, one.secrets)
	}
	switch {
	case s.declare:
		return s.broker.declareQueues(ctx, log)
	case s.check:
		return s.checkAll(ctx, log)
	}
	parts := newService(s, stdout, log)
	defer parts.close() // after all of them have ended
	if err := parts.open(ctx); err != nil {
		return err
	}
	return parts.run(ctx)
}

// checkAll returns an error if the start would fail, or if RabbitMQ is away. It creates nothing.
func (s *settings) checkAll(ctx context.Context, log *slog.Logger) error {
	if s.edge || s.relay {
		if err := s.broker.check(ctx); err != nil {
			return err
		}
	}
	if s.edge {
		if err := checkStore(ctx, s.local); err != nil {
			return fmt.Errorf("-local: %w", err)
		}
	}
	if s.relay || s.work {
		if err := checkStore(ctx, s.database); err != nil {
			return &explained{databaseName, "", err}
		}
	}
	log.Info("the flags, the secrets, RabbitMQ and the databases are fine")
	return nil
}
