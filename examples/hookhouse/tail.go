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
look reads a bounded number of rows: the newest 300, and a part of the older unfinished ones. So a change of one of those
is printed late if there are many, and of several changes between two looks the last is printed.`,
	examples: []string{
		`hookhouse tail -db hooks.db`,
		`hookhouse tail -db hooks.db -type github.push -state dead -limit 0 -json`,
	},
	flags: slices.Concat(databaseFlags, []flagDef{
		sharedFilterFlag,
		func(f *flag.FlagSet, o *options) {
			f.StringVar(&o.states, "state", "", "deliveries in one of these `states`, separated by commas")
			f.IntVar(&o.filter.Limit, "limit", 0, "the newest `n` are printed first (default 10)")
			f.DurationVar(&o.interval, "interval", time.Second, "the `time` between two looks; at least 100ms")
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

func tail(ctx context.Context, s *store, o options, p *printer) error {
	t := newTailer(s, o.filter)
	err := t.begin(ctx)
	if err == nil {
		err = p.newest(ctx, s, o.filter)
	}
	if err != nil {
		return untilInterrupted(ctx, err)
	}
	ticks := time.NewTicker(o.interval)
	defer ticks.Stop()
	failed := "" // what the last look failed with: a server that restarts is back later
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticks.C:
		}
		changed, err := t.look(ctx)
		switch {
		case err == nil:
			failed = ""
		case ctx.Err() == nil && err.Error() != failed:
			failed = err.Error()
			p.note("hookhouse: tail: %s; looking again every %v", failed, o.interval)
		}
		if t.missed {
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
func (p *printer) newest(ctx context.Context, s *store, f webhook.Filter) error {
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
