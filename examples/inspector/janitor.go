package main

import (
	"context"
	"log/slog"
	"time"
)

// A janitor removes bins that have expired, with their captures.
type janitor struct {
	bins *bins
	log  *slog.Logger
}

// cleanEvery is how long the captures of an expired bin may be kept.
const cleanEvery = time.Minute

// Run cleans until ctx ends.
func (j *janitor) Run(ctx context.Context) error {
	ticker := time.NewTicker(cleanEvery)
	defer ticker.Stop()
	for {
		if err := j.bins.clean(ctx); err != nil && ctx.Err() == nil {
			j.log.Error("expired bins are not removed; this is tried again", "reason", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}
