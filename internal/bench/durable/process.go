package durable

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/hookhouse/hookhouse/internal/bench/env"
	"github.com/hookhouse/hookhouse/internal/bench/sender"
)

// An order is the task of the process of a server. Profiles go to a folder unless
// its name is empty.
type order struct{ Name, At, Profiles string }

// Commands has the process of a server.
var Commands = env.Commands{"durable-server": env.Task(func(ctx context.Context, o order) (any, error) { return o.serve(ctx) })}

// serve serves until the input ends and reports how many pushes are stored.
func (o order) serve(ctx context.Context) (last env.Status, err error) {
	m := env.Find(impls, func(m impl) bool { return m.name == o.Name })
	if m.open == nil {
		return last, fmt.Errorf("no implementation %q", o.Name)
	}
	server, err := m.open(ctx, o.At)
	if err != nil {
		return last, err
	}
	defer func() { err = errors.Join(err, server.close()) }()
	stop, err := env.Profile(o.Profiles, m.name)
	if err != nil {
		return last, err
	}
	if err := errors.Join(env.Serve(sender.Path(sender.GitHub), server.handler, os.Stdin, os.Stdout), stop()); err != nil {
		return last, err
	}
	last.Stored, err = server.count(ctx)
	return last, err
}

// A result has the figures of one run.
type result struct {
	sender.Load
	server   time.Duration // processor time of the server for each request
	database time.Duration // processor time of PostgreSQL for each request
	others   float64       // processors that other programs used meanwhile
}

// run runs a server and a generator, each as a process, on an empty store. As
// many pushes must be stored as were answered with 202.
func (m impl) run(ctx context.Context, e *env.Env, senders int, d time.Duration, profiles string) (r result, err error) {
	at, remove, err := e.Make(ctx, m.backend)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, remove()) }()
	var first, before, after, last env.Status
	server, err := env.Start(env.Self(ctx, "durable-server", order{m.name, at, profiles}), &first)
	if err != nil {
		return r, err
	}
	if err = server.Ask(&before); err == nil {
		meter := e.Meter()
		err = env.Result(env.Self(ctx, "load", sender.Order{Addr: first.Addr, Connections: senders, Time: d, Pushes: true}), &r.Load)
		if err == nil {
			err = server.Ask(&after)
			used, database := after.CPU-before.CPU, meter.Database()
			r.server, r.database = used/time.Duration(r.Requests), database/time.Duration(r.Requests)
			r.others = meter.Others(used + database + r.CPU)
		}
	}
	if err = errors.Join(err, server.End(&last)); err == nil && last.Stored != r.Requests {
		err = fmt.Errorf("%d pushes were answered 202, %d are stored", r.Requests, last.Stored)
	}
	return r, err
}
