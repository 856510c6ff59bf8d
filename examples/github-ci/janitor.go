package main

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

// A janitor forgets builds, logs and work areas that are older than keep.
type janitor struct {
	store *store
	logs  *logs
	data  data
	keep  time.Duration
	log   *slog.Logger
}

// Run cleans at once and then every hour, until ctx ends.
func (j *janitor) Run(ctx context.Context) error {
	tick := time.NewTicker(time.Hour)
	defer tick.Stop()
	for {
		if err := j.clean(ctx, time.Now().Add(-j.keep)); err != nil && ctx.Err() == nil {
			j.log.Error("what is old could not be removed", "reason", err)
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
		ids, err := j.store.forget(ctx, before, 100)
		for _, id := range ids {
			err = errors.Join(err, j.logs.forget(id))
		}
		if err != nil || len(ids) == 0 {
			return errors.Join(err, j.data.forget(before))
		}
	}
}
