package durable

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/hookhouse/hookhouse/internal/bench/env"
	"github.com/hookhouse/hookhouse/internal/bench/sender"
)

// Commands are those of the two processes of a run: the server and the generator.
var Commands = env.Commands{"durable-server": serverCommand, "durable-load": loadCommand}

func serverCommand(ctx context.Context, args []string) error {
	if len(args) != 3 {
		return errors.New("durable-server needs a name, a store and a folder for profiles")
	}
	m, ok := find(args[0])
	if !ok {
		return fmt.Errorf("no implementation %q", args[0])
	}
	return m.serve(ctx, args[1], args[2])
}

func loadCommand(_ context.Context, args []string) error {
	if len(args) != 3 {
		return errors.New("durable-load needs an address, a number of senders and a time")
	}
	senders, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	d, err := time.ParseDuration(args[2])
	if err != nil {
		return err
	}
	l, err := sender.SendPushes(args[0], senders, d)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(l)
}

// serve serves until the input ends, and then prints how many pushes are stored.
// Profiles go to the folder profiles unless it is empty.
func (m impl) serve(ctx context.Context, at, profiles string) (err error) {
	o, err := m.open(ctx, at)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.close()) }()
	stop, err := profile(profiles, m.name)
	if err != nil {
		return err
	}
	_, path := sender.Header(sender.GitHub, "")
	mux := http.NewServeMux()
	mux.Handle(path, o.handler)
	if err := errors.Join(env.Serve(mux, os.Stdin, os.Stdout), stop()); err != nil {
		return err
	}
	n, err := o.count(ctx)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(env.Report{Stored: n})
}

// A result is what one run gave.
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
	var first, before, after, last env.Report
	server, err := env.Start(env.Self(ctx, "durable-server", m.name, at, profiles), &first)
	if err != nil {
		return r, err
	}
	if err = server.Ask(&before); err == nil {
		meter := e.Meter()
		err = env.Result(env.Self(ctx, "durable-load", first.Addr, strconv.Itoa(senders), d.String()), &r.Load)
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
