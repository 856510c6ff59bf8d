// Package held measures Puts under free ordering keys while other keys are held by
// a transaction, and while a Replay runs.
package held

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
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
	flags := flag.NewFlagSet("held", flag.ExitOnError)
	flags.IntVar(&c.count, "count", 5, "passes over everything")
	flags.DurationVar(&c.time, "benchtime", 2500*time.Millisecond, "time for each case and round trip in one pass, after a quarter of that to warm up")
	trips := flags.String("rtt", "0,5ms,40ms", "round trips to PostgreSQL, separated by commas")
	flags.IntVar(&c.keys, "keys", 200, "keys that are held, each with a Put that waits")
	flags.IntVar(&c.replays, "replays", 10_000, "finished deliveries that are replayed")
	flags.IntVar(&c.senders, "senders", 8, "senders under free keys")
	dir := flags.String("dir", "", "folder for the stores (default the system's temporary one)")
	short := flags.Bool("short", false, "one pass of 500ms, for a quick look")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *short {
		c.count, c.time = 1, 500*time.Millisecond
	}
	var err error
	if c.trips, err = durations(*trips); err != nil {
		return err
	}
	if c.count < 1 || c.keys < 1 || c.replays < c.keys || c.senders < 1 {
		return errors.New("-count, -keys and -senders must be at least 1, and -replays at least -keys")
	}
	e, err := env.New(ctx, *dir)
	if err != nil {
		return err
	}
	defer e.Close()
	if !e.Has(env.PostgreSQL) {
		return nil // SQLite has one writer, which holds all keys
	}
	fmt.Printf("%s, %d passes of %v\n\n", env.Machine(), c.count, c.time)
	rows, err := c.measure(ctx, e)
	if err != nil {
		return err
	}
	c.print(os.Stdout, rows)
	return nil
}

func durations(list string) ([]time.Duration, error) {
	var all []time.Duration
	for text := range strings.SplitSeq(list, ",") {
		d, err := time.ParseDuration(text)
		if err != nil || d < 0 {
			return nil, fmt.Errorf("%q is not a round trip", text)
		}
		all = append(all, d)
	}
	return all, nil
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

// A row is a situation at one round trip, and what each pass gave.
type row struct {
	situation
	trip time.Duration
	runs []result
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
		rows[i].runs = append(rows[i].runs, got)
		return nil
	})
}
