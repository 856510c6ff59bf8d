package main

import (
	"context"
	"iter"
	"os"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// A store has the deliveries that a command works on: the database of a program, or a
// running service with an inspector. Its methods have the contracts of [webhook.Admin].
type store interface {
	All(ctx context.Context, f webhook.Filter) iter.Seq2[webhook.Record, error]
	// Get may leave out the body, which Body returns.
	Get(ctx context.Context, uid string) (webhook.Record, error)
	Body(ctx context.Context, uid string) ([]byte, error)
	ReplayEvery(ctx context.Context, f webhook.Filter, n webhook.Note, every time.Duration) (int, error)
	Bury(ctx context.Context, uid string, n webhook.Note) error
	Pause(ctx context.Context, typ string, n webhook.Note) error
	Resume(ctx context.Context, typ string, n webhook.Note) error
	// release is Release. A service records who releases.
	release(ctx context.Context, uid string, n webhook.Note) error
	numbers(ctx context.Context) (numbers, error)
	// follow returns what finds the deliveries that are new or change. A database is looked
	// at once in the time of every.
	follow(f webhook.Filter, every time.Duration) feed
	// check says in a sentence that all is well.
	check(ctx context.Context) (string, error)
	close()
}

// A place is where a store is: the name of a database, or the URL of a service.
type place struct {
	database, service string
}

// placeOf returns what the flags say, and otherwise the environment.
func placeOf(o options) (place, error) {
	switch {
	case o.database != "" && o.service != "":
		return place{}, usagef("-db and -url are both set; set only one")
	case o.database != "" || o.service != "":
		return place{o.database, o.service}, nil
	}
	var p place
	var err error
	if p.database, err = oneLine("HOOKHOUSE_DB"); err != nil { // a URL may have a password
		return p, err
	}
	if p.service, err = oneLine("HOOKHOUSE_URL"); err != nil {
		return p, err
	}
	switch {
	case p.database != "" && p.service != "":
		return p, usagef("HOOKHOUSE_DB and HOOKHOUSE_URL are both set; set only one, or -db or -url")
	case p == place{}:
		return p, usagef("no database: set -db FILE, or HOOKHOUSE_DB to a file or a postgres:// URL; for a running service set -url or HOOKHOUSE_URL")
	}
	return p, nil
}

// oneLine returns the line of a variable, or of the file that the variable with _FILE at its
// end names. It is empty if neither is set.
func oneLine(name string) (string, error) {
	lines, err := secretLines(os.Getenv, name)
	switch {
	case err != nil:
		return "", usagef("%v", err)
	case len(lines) > 1:
		return "", usagef("%s has %d lines, want one", name, len(lines))
	case len(lines) == 0:
		return "", nil
	}
	return lines[0], nil
}

// withStore opens what the flags or the environment name, runs a command and closes it.
func withStore(ctx context.Context, c *command, o options, p *printer) error {
	at, err := placeOf(o)
	if err != nil {
		return err
	}
	if at.service != "" && c.run == nil {
		return usagef("the API of a service has no %s; use -db with its database", c.name)
	}
	if at.service != "" {
		s, err := openService(at.service, &o)
		if err != nil {
			return err
		}
		defer s.close()
		return s.advise(c.run(ctx, s, o, p))
	}
	d, err := openNamed(ctx, at.database, &o)
	if err != nil {
		return err
	}
	defer d.close()
	if c.run == nil {
		return c.ofDatabase(ctx, d, o, p)
	}
	return c.run(ctx, d, o, p)
}
