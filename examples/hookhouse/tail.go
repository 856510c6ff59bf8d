package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

const (
	// minInterval is the least -interval.
	minInterval = 100 * time.Millisecond
	// defaultTailed is the -limit of tail if it is not set, maxTailed the largest one.
	defaultTailed = 10
	maxTailed     = 1000
)

var tailCommand = &command{
	name:  "tail",
	short: "follow new and changed deliveries until Ctrl-C",
	long: `Prints the newest deliveries that match and then one line whenever one is stored or its state, attempt or reason changes. Each
look at a database reads a bounded number of rows: the newest 300, and a part of the older unfinished ones. So a change of one of
those is printed late if there are many, and of several changes between two looks the last is printed. A service sends changes of
its newest 200 at once; those of the older ones that tail has printed follow at the latest after five minutes. If the connection
is lost, tail connects again and prints what it has missed.`,
	examples: []string{
		`hookhouse tail -db hooks.db`,
		`hookhouse tail -url https://service.example.com/debug/hooks/ -type github.push`,
		`hookhouse tail -db hooks.db -type github.push -state dead -limit 0 -json`,
	},
	flags: slices.Concat(storeFlags, []flagDef{
		sharedFilterFlag,
		func(f *flag.FlagSet, o *options) {
			f.StringVar(&o.states, "state", "", "deliveries in one of these `states`, separated by commas")
			f.IntVar(&o.filter.Limit, "limit", 0, "the newest `n` are printed first (default 10)")
			f.DurationVar(&o.interval, "interval", time.Second, "the `time` between two looks at a database; at least 100ms")
		},
	}),
	take: takeTail,
	run:  tail,
}

// takeTail checks the flags of tail.
func takeTail(o *options) error {
	switch {
	case o.interval < minInterval:
		return fmt.Errorf("-interval must be at least %v", minInterval)
	case o.filter.Limit > maxTailed:
		return fmt.Errorf("-limit must be at most %d", maxTailed)
	}
	return noOperands(o)
}

// A feed finds the deliveries that are new or have changed.
type feed interface {
	// begin remembers how things are.
	begin(ctx context.Context) error
	// next waits for what is new or has changed and matches. missed is true if more were new
	// than it could read. It may return nothing. After an error the next call finds the same
	// again.
	next(ctx context.Context) (changed []webhook.Record, missed bool, err error)
	close()
}

func tail(ctx context.Context, s store, o options, p *printer) error {
	follow := s.follow(o.filter, o.interval)
	defer follow.close()
	err := follow.begin(ctx)
	if err == nil {
		err = p.newest(ctx, s, o.filter)
	}
	if err != nil {
		return untilInterrupted(ctx, err)
	}
	failed := "" // what the last look failed with: a server that restarts is back later
	for {
		changed, missed, err := follow.next(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err == nil {
			failed = ""
		} else if err.Error() != failed {
			failed = err.Error()
			p.note("hookhouse: tail: %s; trying again", failed)
		}
		if missed {
			p.note("hookhouse: tail: more than %d are new since the last look; the older of them are not printed", tailStep)
		}
		p.now = time.Now()
		for _, r := range changed {
			if err := p.line(r); err != nil {
				return err
			}
		}
	}
}

// untilInterrupted returns err, unless Ctrl-C is its cause.
func untilInterrupted(ctx context.Context, err error) error {
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		return nil
	}
	return err
}

// newest prints what tail begins with, oldest first.
func (p *printer) newest(ctx context.Context, s store, f webhook.Filter) error {
	if err := p.heading(); err != nil {
		return err
	}
	switch f.Limit {
	case 0:
		f.Limit = defaultTailed
	case noLimit:
		return nil
	}
	var records []webhook.Record
	for r, err := range s.All(ctx, f) {
		if err != nil {
			return err
		}
		records = append(records, r)
	}
	for _, r := range slices.Backward(records) {
		if err := p.line(r); err != nil {
			return err
		}
	}
	return nil
}
