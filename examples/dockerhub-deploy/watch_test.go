package main

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// checkInterval is the time between two looks of a wait: at the metrics, or at the containers
// of an engine.
const checkInterval = 200 * time.Millisecond

// pollUntil returns when a condition is true.
func pollUntil(ctx context.Context, what string, holds func() bool) error {
	tick := time.NewTicker(checkInterval)
	defer tick.Stop()
	for !holds() {
		select {
		case <-ctx.Done():
			return fmt.Errorf("timeout waiting for %s", what)
		case <-tick.C:
		}
	}
	return nil
}

// A watched has the deliveries of a program, whose database in dir it opens once.
type watched struct {
	dir   string
	store *store
}

func (w *watched) stats(t *testing.T) webhook.Stats {
	t.Helper()
	if w.store == nil {
		var err error
		if w.store, err = openStore(t.Context(), filepath.Join(w.dir, "test.db")); err != nil {
			t.Fatal(err)
		}
	}
	stats, err := w.store.Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return stats
}

// idle reports whether all deliveries are finished.
func (w *watched) idle(t *testing.T) bool {
	t.Helper()
	for _, states := range w.stats(t).Types {
		if states[webhook.Waiting]+states[webhook.Blocked]+states[webhook.Claimed] > 0 {
			return false
		}
	}
	return true
}

func (w *watched) close() {
	if w.store != nil {
		w.store.close()
	}
}
