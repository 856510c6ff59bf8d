// Package held measures Puts under free ordering keys while other keys are held by
// a transaction, and while a Replay runs.
package held

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/hookhouse/hookhouse/internal/bench/env"
)

// A command is what the command line asks for.
type command struct {
	count   int
	time    time.Duration
	trips   []time.Duration
	keys    int
	replays int
	senders int
}

// Run is the command "held".
func Run(ctx context.Context, args []string) error {
	var c command
	flags := env.NewFlags("held", 5, "one pass of 500ms")
	flags.DurationVar(&c.time, "benchtime", 2500*time.Millisecond, "time for each case and round trip in one pass, after a quarter of that to warm up")
	trips := flags.String("rtt", "0,5ms,40ms", "round trips to PostgreSQL, separated by commas")
	flags.IntVar(&c.keys, "keys", 200, "keys that are held, each with a Put that waits")
	flags.IntVar(&c.replays, "replays", 10_000, "finished deliveries that are replayed")
	flags.IntVar(&c.senders, "senders", 8, "senders under free keys")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.Short {
		flags.Count, c.time = 1, 500*time.Millisecond
	}
	var err error
	if c.trips, err = env.List(*trips, roundTrip); err != nil {
		return err
	}
	if c.count = flags.Count; c.keys < 1 || c.replays < c.keys || c.senders < 1 {
		return errors.New("-keys and -senders must be at least 1, and -replays at least -keys")
	}
	flags.Needs = env.PostgreSQL // SQLite has one writer, which holds all keys
	return env.Report(ctx, flags, fmt.Sprintf("%d passes of %v", c.count, c.time),
		func(e *env.Env) ([]*row, error) { return c.measure(ctx, e) }, c.print)
}

func roundTrip(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err == nil && d < 0 {
		err = fmt.Errorf("%v is not a round trip", d)
	}
	return d, err
}

// The names by which tables and aims refer to situations.
const (
	nothingHeld = "nothing is held"
	keysHeld    = "keys are held"
	replayRuns  = "a Replay runs"
)

// A situation is what happens while Puts under free keys are measured.
type situation struct {
	name string
	// prepare makes everything ready and does not disturb Puts yet.
	prepare func(ctx context.Context, sc *scene) (disturbance, error)
}

var situations = []situation{{nothingHeld, noDisturbance}, {keysHeld, holdKeys}, {replayRuns, replay}}

// A row is a situation at one round trip, and the figures of its runs.
type row struct {
	situation
	trip               time.Duration
	p50, p99, replayed []float64
	sum                result // of what is counted
}

func (r *row) add(g result) {
	r.p50, r.p99 = append(r.p50, env.Millis(g.p50)), append(r.p99, env.Millis(g.p99))
	r.replayed = append(r.replayed, g.replayed)
	r.sum.puts += g.puts
	r.sum.refused += g.refused
	r.sum.waited += g.waited
	r.sum.failed += g.failed
}

// measure runs everything in each pass, the situations of one round trip one after
// the other.
func (c command) measure(ctx context.Context, e *env.Env) ([]*row, error) {
	var rows []*row
	for _, trip := range c.trips {
		for _, s := range situations {
			rows = append(rows, &row{situation: s, trip: trip})
		}
	}
	return rows, env.Rounds(c.count, len(rows), len(situations), func(i int) error {
		got, err := c.run(ctx, e, rows[i])
		if err != nil {
			return fmt.Errorf("%s, round trip %v: %w", rows[i].name, rows[i].trip, err)
		}
		rows[i].add(got)
		return nil
	})
}

// freeRow returns the row of the same round trip with nothing held.
func freeRow(rows []*row, trip time.Duration) *row {
	return env.Find(rows, func(r *row) bool { return r.trip == trip && r.name == nothingHeld })
}

// print prints the table and the aims.
func (c command) print(w io.Writer, rows []*row) {
	env.Head(w, fmt.Sprintf("Put under free keys, PostgreSQL, senders: %d; %d keys held, %d deliveries replayed", c.senders, c.keys, c.replays),
		"round trip:", "meanwhile", "Puts:", "p50 ms:", "spread:", "p99 ms:", "lowest:", "spread:", "x p50:", "x p99:", "x lowest p99:",
		"refused:", "refused under held keys:", "replayed/s:", "Replays that failed:")
	var aims []env.Aim
	for _, r := range rows {
		free, times, replayed := freeRow(rows, r.trip), " | | ", ""
		if r.name != nothingHeld {
			times = fmt.Sprintf("%.2f | %.2f | %.2f", env.Ratio(r.p50, free.p50), env.Ratio(r.p99, free.p99), env.Quantile(r.p99, 0)/env.Quantile(free.p99, 0))
			aims = append(aims, r.aims(free)...)
		}
		if r.name == replayRuns {
			replayed = fmt.Sprintf("%.0f", env.Median(r.replayed))
		}
		fmt.Fprintf(w, "| %v | %s | %d | %.2f | %.0f%% | %.2f | %.2f | %.0f%% | %s | %d | %d | %s | %d |\n", r.trip, r.name,
			r.sum.puts, env.Median(r.p50), env.Spread(r.p50), env.Median(r.p99), env.Quantile(r.p99, 0), env.Spread(r.p99), times,
			r.sum.refused, r.sum.waited, replayed, r.sum.failed)
	}
	fmt.Fprintln(w)
	env.PrintAims(w, "Aims of intake while keys are held", aims)
}

// aims returns those of a row: p99 is at most one and a half times that with
// nothing held in the same pass, and one round trip more.
func (r *row) aims(free *row) []env.Aim {
	var bound []float64
	for _, p99 := range free.p99 {
		bound = append(bound, 1.5*p99+env.Millis(r.trip))
	}
	what := fmt.Sprintf("round trip %v, %s: ", r.trip, r.name)
	return []env.Aim{
		env.NewAim(what+"p99, share of 1.5 times that with nothing held and a round trip", true, 1, env.Ratios(r.p99, bound)),
		env.NewAim(what+"live calls refused", true, 0, []float64{float64(r.sum.refused)}),
	}
}
