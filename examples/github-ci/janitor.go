package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/hookhouse/hookhouse/examples/github-ci/buildlog"
	"github.com/hookhouse/hookhouse/examples/github-ci/builds"
	"github.com/hookhouse/hookhouse/examples/github-ci/git"
)

// A janitor deletes builds, logs and fetched repositories that are older than retention.
type janitor struct {
	builds       *builds.Store
	logs         *buildlog.Logs
	repositories *git.Store
	retention    time.Duration
	log          *slog.Logger
}

// Run cleans up immediately and then every hour, until ctx is done.
func (j *janitor) Run(ctx context.Context) error {
	tick := time.NewTicker(time.Hour)
	defer tick.Stop()
	for {
		if err := j.clean(ctx, time.Now().Add(-j.retention)); err != nil && ctx.Err() == nil {
			j.log.Error("cleanup failed", "reason", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (j *janitor) clean(ctx context.Context, before time.Time) error {
	for {
		ids, err := j.builds.DeleteEnded(ctx, before, 100)
		for _, id := range ids {
			err = errors.Join(err, j.logs.Remove(id))
		}
		if err != nil || len(ids) == 0 {
			return errors.Join(err, j.repositories.Collect(ctx, before))
		}
	}
}
