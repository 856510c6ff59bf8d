package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"
)

// A heldRun is what the command line of "held" asks for.
type heldRun struct {
	count   int
	time    time.Duration
	trips   []time.Duration
	keys    int
	replays int
	senders int
	dir     string
}

// held measures Puts under free keys while others are held, and while a Replay
// runs.
func held(ctx context.Context, args []string) error {
	var o heldRun
	flags := flag.NewFlagSet("held", flag.ExitOnError)
	flags.IntVar(&o.count, "count", 5, "passes over everything")
	flags.DurationVar(&o.time, "benchtime", 2500*time.Millisecond, "time for each case and round trip in one pass, after a quarter of that to warm up")
	trips := flags.String("rtt", "0,5ms,40ms", "round trips to PostgreSQL, separated by commas")
	flags.IntVar(&o.keys, "keys", 200, "keys that are held, and Puts that wait under them")
	flags.IntVar(&o.replays, "replays", 10_000, "finished deliveries that are replayed")
	flags.IntVar(&o.senders, "senders", 8, "senders under free keys")
	flags.StringVar(&o.dir, "dir", "", "folder for the stores (default the system's temporary one)")
	short := flags.Bool("short", false, "one pass of 500ms, for a quick look")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *short {
		o.count, o.time = 1, 500*time.Millisecond
	}
	var err error
	if o.trips, err = durations(*trips); err != nil {
		return err
	}
	if o.count < 1 || o.keys < 1 || o.replays < o.keys || o.senders < 1 {
		return errors.New("-count, -keys and -senders are at least 1, and -replays at least -keys")
	}
	s, err := newSite(ctx, o.dir)
	if err != nil {
		return err
	}
	defer s.close()
	if !s.has(inPostgres) {
		return nil // SQLite has one writer: who holds it holds all
	}
	fmt.Printf("%s, %d passes of %v\n\n", machine(), o.count, o.time)
	rows, err := o.measure(ctx, s)
	if err != nil {
		return err
	}
	printHeld(os.Stdout, o, rows)
	return nil
}

func durations(list string) ([]time.Duration, error) {
	var all []time.Duration
	for text := range strings.SplitSeq(list, ",") {
		d, err := time.ParseDuration(text)
		if err != nil || d < 0 {
			return nil, fmt.Errorf("%q is no round trip", text)
		}
		all = append(all, d)
	}
	return all, nil
}

// The names by which tables and aims refer to cases.
const (
	caseFree   = "nothing is held"
	caseHeld   = "keys are held"
	caseReplay = "a Replay runs"
)

// A heldCase is what goes on while Puts under free keys are measured.
type heldCase struct {
	name string
	// prepare makes all ready for it, and begins nothing that is felt.
	prepare func(ctx context.Context, sc *scene) (disturbance, error)
}

var heldCases = []heldCase{{caseFree, nothingHeld}, {caseHeld, keysHeld}, {caseReplay, replayRuns}}

// A heldRow is a case at one round trip, and what each pass gave.
type heldRow struct {
	heldCase
	trip time.Duration
	runs []liveRun
}

// measure goes through all in each pass, the cases of one round trip one after
// the other, beginning with another one in each.
func (o heldRun) measure(ctx context.Context, s *site) ([]*heldRow, error) {
	var rows []*heldRow
	for _, trip := range o.trips {
		for _, c := range heldCases {
			rows = append(rows, &heldRow{heldCase: c, trip: trip})
		}
	}
	each := len(heldCases)
	for pass := range o.count {
		for i := range rows {
			row := rows[i-i%each+(i+pass)%each]
			r, err := o.run(ctx, s, row)
			if err != nil {
				return nil, fmt.Errorf("%s, round trip %v: %w", row.name, row.trip, err)
			}
			row.runs = append(row.runs, r)
		}
	}
	return rows, nil
}
