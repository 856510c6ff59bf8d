package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/hookhouse/hookhouse/kudu"
)

// checkAll checks what -check promises, and returns all errors. It changes nothing.
func checkAll(ctx context.Context, cfg *config, log *slog.Logger) error {
	var all []error
	check := func(what string, err error) {
		if err != nil {
			all = append(all, err)
			return
		}
		log.Info("fine", "checked", what)
	}
	err := checkStore(ctx, cfg.database)
	if err != nil {
		err = fmt.Errorf("-db: %w", err)
	}
	check("-db", err)
	for _, at := range cfg.sites {
		client, err := kudu.NewClient(at.url, at.credentials)
		if err == nil {
			_, err = client.List(ctx)
		}
		if err != nil {
			err = fmt.Errorf("-site %s: %w", at.url, err)
		}
		check("-site "+at.url, err)
	}
	for _, to := range cfg.targets {
		if mail, ok := to.(mailbox); ok {
			check("-smtp", mail.check(ctx))
			break // all recipients have the same server
		}
	}
	return errors.Join(all...)
}

// sendTest sends one test notice to each target, and returns all errors.
func sendTest(ctx context.Context, targets []target, log *slog.Logger) error {
	var all []error
	for _, to := range targets {
		label := to.name()
		if mail, ok := to.(mailbox); ok {
			label = mail.to.Address
		}
		n := notice{What: trial, Event: "test notice", Subject: "kudu-notify", ID: "test", Status: "test", Ended: time.Now()}
		id := fmt.Sprintf("test-%d-%s", n.Ended.UnixNano(), to.name())
		if err := to.send(ctx, id, n, nil); err != nil {
			all = append(all, fmt.Errorf("%s: %w", label, err))
			continue
		}
		log.Info("sent", "target", label)
	}
	return errors.Join(all...)
}
