package model

import (
	"cmp"
	"flag"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/internal/dbtest/engine"
)

var (
	schedules = flag.Int("schedules", 0, "number of schedules on each database; zero means as many as take half a minute")
	seed      = flag.Uint64("seed", 1, "seed of the first schedule; each further one has the next seed")
	parallel  = flag.Int("workers", 4, "number of schedules that run at the same time")
	show      = flag.Bool("show", false, "print each schedule, not only those that fail")
	playAll   = flag.Bool("all", false, "run all schedules and count those that fail")
)

func TestMain(m *testing.M) {
	engine.Main(m, engine.Memory(), "wal_level=minimal", "max_wal_senders=0",
		"deadlock_timeout=20ms", "jit=off", "autovacuum=off")
}

// A campaign runs schedules in several envs at the same time.
type campaign struct {
	n     int
	open  func(t *testing.T) (*env, error)
	found func(*report) bool // that one fails as expected; nil expects none
}

// play runs the schedules and returns those that failed. Without the flag -all it
// stops at the first and makes that smaller.
func (c *campaign) play(t *testing.T) []*report {
	t.Helper()
	var (
		next   atomic.Uint64
		mu     sync.Mutex
		failed []*report
		all    sync.WaitGroup
		start  = time.Now()
	)
	next.Store(*seed)
	work := func() {
		g, err := c.open(t)
		if err != nil {
			t.Error(err)
			return
		}
		defer g.close()
		for {
			s := next.Add(1) - 1
			if s >= *seed+uint64(c.n) {
				return
			}
			r := g.play(t.Context(), newPlan(s))
			if *show {
				t.Log(r)
			}
			if !r.failed() || c.found != nil && r.err == nil && !c.found(r) {
				continue
			}
			if !*playAll {
				next.Store(*seed + uint64(c.n))
			}
			if !*playAll && c.found == nil && r.err == nil {
				r = g.shrink(t.Context(), r)
			}
			mu.Lock()
			failed = append(failed, r)
			mu.Unlock()
			if r.err != nil {
				return // its transactions may still be open
			}
		}
	}
	for range *parallel {
		all.Go(work)
	}
	all.Wait()
	if took := time.Since(start); len(failed) == 0 || *playAll {
		t.Logf("%d schedules from %d on in %v: %.0f each second", c.n, *seed, took.Round(time.Millisecond), float64(c.n)/took.Seconds())
	}
	slices.SortFunc(failed, func(a, b *report) int { return cmp.Compare(a.plan.seed, b.plan.seed) })
	return failed
}

func TestNoOrderOfStatementsLeavesAKeyStuckOrADeliveryMissing(t *testing.T) {
	engine.PostgreSQL(t)
	c := &campaign{n: cmp.Or(*schedules, 2000), open: onPostgres(original)}
	reportFailures(t, c.play(t))
}

func TestNoOrderOfOperationsLeavesAKeyStuckOrADeliveryMissing(t *testing.T) {
	c := &campaign{n: cmp.Or(*schedules, defaultSchedules), open: onSQLite}
	reportFailures(t, c.play(t))
}

func TestEachMutantIsFound(t *testing.T) {
	engine.PostgreSQL(t)
	for _, w := range mutants {
		t.Run(w.name, func(t *testing.T) {
			c := &campaign{n: 1000, open: onPostgres(w), found: w.isFound}
			failed := c.play(t)
			found := 0
			for _, r := range failed {
				if w.isFound(r) {
					found++
				}
			}
			if found > 0 {
				t.Logf("found %d times, first by seed %d: %q", found, failed[0].plan.seed, failed[0].faults)
				return
			}
			for _, r := range failed {
				t.Error(r)
			}
			t.Error("the mutant was not found")
			if !w.used.Load() {
				t.Error("the mutant replaced no statement: the inbox has other ones now")
			}
		})
	}
}

// reportFailures prints the first schedule that failed, and the faults of the others.
func reportFailures(t *testing.T, failed []*report) {
	t.Helper()
	for i, r := range failed {
		if i == 0 {
			t.Error(r)
			continue
		}
		t.Errorf("seed %d: %q %v", r.plan.seed, r.faults, r.err)
	}
}
