package main

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

// A janitor deletes builds, logs and work areas that are older than retention.
type janitor struct {
	store     *store
	logs      *logs
	data      data
	retention time.Duration
	log       *slog.Logger
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
		ids, err := j.store.deleteEnded(ctx, before, 100)
		for _, id := range ids {
			err = errors.Join(err, j.logs.remove(id))
		}
		if err != nil || len(ids) == 0 {
			return errors.Join(err, j.data.removeUnused(before))
		}
	}
}
