package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/hookhouse/hookhouse/examples/dockerhub-deploy/registry"
	"github.com/hookhouse/hookhouse/examples/dockerhub-deploy/rule"
	"github.com/hookhouse/hookhouse/examples/dockerhub-deploy/target"
)

// checkAll checks what the rules name, the engine, the registry and the database, and
// returns all faults. It changes nothing.
func (o options) checkAll(ctx context.Context, images *registry.Client, log *slog.Logger) error {
	faults := []error{}
	targets, engine, err := o.newTargets(ctx, nil, log)
	faults = append(faults, err)
	if engine != nil {
		if err := engine.Ping(ctx); err != nil {
			faults = append(faults, fmt.Errorf("the engine does not answer: %w", err))
			targets = nil
		}
		for _, t := range targets {
			if c, ok := t.(*target.Container); ok {
				faults = append(faults, c.Check(ctx))
			}
		}
	}
	for _, r := range o.rules {
		var err error
		if r.Exact != "" {
			_, err = images.Digest(ctx, r.Repository, r.Exact)
		} else {
			_, err = images.Versions(ctx, r)
		}
		if err != nil {
			faults = append(faults, &rule.Error{Rule: r.Text, Err: err})
		}
	}
	if err := checkStore(ctx, o.database); err != nil {
		faults = append(faults, fmt.Errorf("-db: %w", err))
	}
	if err := errors.Join(faults...); err != nil {
		return err
	}
	log.Info("the flags, the secrets, what the rules name, the engine, the registry and the database are fine")
	return nil
}
