package model

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"github.com/hookhouse/hookhouse/internal/dbtest/postgres"
)

var (
	schedules = flag.Int("schedules", 2000, "how many schedules to play on each database")
	seed      = flag.Uint64("seed", 1, "the seed of the first schedule; the next has the next")
	parallel  = flag.Int("stages", 4, "how many schedules to play at once")
	goOn      = flag.Bool("goon", false, "play all schedules, and count what fails")
)

// memory is a folder of a memory file system, or empty.
func memory() string {
	if info, err := os.Stat("/dev/shm"); err == nil && info.IsDir() {
		return "/dev/shm"
	}
	return ""
}

var server *postgres.Server

func TestMain(m *testing.M) {
	flag.Parse()
	s, err := postgres.StartIn(context.Background(), memory(), "wal_level=minimal", "max_wal_senders=0", "max_wal_size=256MB",
		"deadlock_timeout=20ms", "jit=off", "autovacuum=off")
	switch {
	case err == nil:
		server = s
	case errors.Is(err, postgres.ErrNotInstalled) && os.Getenv("CI") != "true":
		fmt.Println("left out:", err)
	default:
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	if s != nil {
		s.Stop()
	}
	os.Exit(code)
}

// playAll plays so many schedules on several stages, and returns those that
// failed: the first one only, unless all are to be played.
func playAll(t *testing.T, n int, open func(ctx context.Context, stage int) (*stage, error)) []*report {
	t.Helper()
	var (
		next   atomic.Uint64
		mu     sync.Mutex
		failed []*report
		all    sync.WaitGroup
		start  = time.Now()
	)
	next.Store(*seed)
	for i := range *parallel {
		all.Go(func() {
			g, err := open(t.Context(), i)
			if err != nil {
				t.Error(err)
				return
			}
			defer func() { g.close() }()
			for {
				s := next.Add(1) - 1
				if s >= *seed+uint64(n) {
					return
				}
				r := g.play(t.Context(), newPlan(s))
				if !r.failed() {
					continue
				}
				mu.Lock()
				failed = append(failed, r)
				mu.Unlock()
				if !*goOn {
					next.Store(*seed + uint64(n))
				}
				if r.err != nil {
					return // its transactions may still be open
				}
			}
		})
	}
	all.Wait()
	took := time.Since(start)
	t.Logf("%d schedules from %d on in %v: %.0f each second", n, *seed, took.Round(time.Millisecond), float64(n)/took.Seconds())
	return failed
}

var schemas atomic.Int64

func TestNoOrderOfStatementsLeavesAKeyStuckOrSomethingMissing(t *testing.T) {
	if server == nil {
		t.Skip("no PostgreSQL")
	}
	tell(t, playAll(t, *schedules, func(ctx context.Context, n int) (*stage, error) {
		return onPostgres(ctx, server, fmt.Sprintf("model%d", schemas.Add(1)), right)
	}))
}

func TestNoOrderOfOperationsLeavesAKeyStuckOrSomethingMissing(t *testing.T) {
	tell(t, playAll(t, *schedules, func(ctx context.Context, n int) (*stage, error) {
		folder, err := os.MkdirTemp(memory(), "hookhouse-model-")
		if err != nil {
			return nil, err
		}
		t.Cleanup(func() { _ = os.RemoveAll(folder) })
		return onSQLite(ctx, folder)
	}))
}

// tell prints the first schedule that failed, and of the others what was wrong.
func tell(t *testing.T, failed []*report) {
	t.Helper()
	for i, r := range failed {
		if i == 0 {
			r.fail(t)
			continue
		}
		t.Errorf("seed %d: %q %v", r.plan.seed, r.faults, r.err)
	}
}
