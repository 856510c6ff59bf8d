// Package chain measures deliveries on their way through a broker, from acceptance to the
// callback, beside the inbox that is accepted into at once.
package chain

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/hookhouse/hookhouse/internal/bench/env"
	"github.com/hookhouse/hookhouse/internal/bench/pace"
	"github.com/hookhouse/hookhouse/internal/bench/sender"
)

// senders is the number of goroutines that hand deliveries over.
const senders = 64

// Run is the command "chain".
func Run(ctx context.Context, args []string) error {
	flags := env.NewFlags("chain", 5, "one pass of 300 deliveries")
	deliveries := flags.Int("deliveries", 5000, "deliveries in each run")
	disk := flags.Bool("disk", false, "the disk that stored deliveries take, and nothing else; it needs 20000 deliveries or more")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.Short {
		flags.Count, *deliveries = 1, 300
	}
	run := fmt.Sprintf("%d passes of %d deliveries", flags.Count, *deliveries)
	if *disk {
		return env.Report(ctx, flags, run, func(e *env.Env) ([]*diskRow, error) {
			return measureDisk(ctx, e, flags.Count, *deliveries)
		}, printDisk)
	}
	return env.Report(ctx, flags, run, func(e *env.Env) ([]*row, error) {
		return measure(ctx, e, flags.Count, *deliveries)
	}, printRows)
}

// A row is a way and the figures of its runs.
type row struct {
	way
	rate, p50, p99 []float64 // deliveries per second, and ms from acceptance to the callback
	cpu            []float64 // µs of this process for each delivery
	servers        []float64 // µs of PostgreSQL and RabbitMQ for each delivery
}

func measure(ctx context.Context, e *env.Env, count, deliveries int) ([]*row, error) {
	var rows []*row
	for _, w := range ways {
		if e.Has(env.PostgreSQL) && (!w.broker || e.Has(env.RabbitMQ)) {
			rows = append(rows, &row{way: w})
		}
	}
	return rows, env.Rounds(count, len(rows), len(rows), func(i int) error {
		if err := rows[i].measure(ctx, e, deliveries); err != nil {
			return fmt.Errorf("%s: %w", rows[i].name, err)
		}
		return nil
	})
}

// measure sends deliveries along the way, and adds the figures of the run.
func (r *row) measure(ctx context.Context, e *env.Env, n int) (err error) {
	s := &stores{env: e}
	defer func() { err = errors.Join(err, s.close()) }()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	arrived := newArrivals(n)
	first, parts, err := r.open(ctx, s, arrived)
	if err != nil {
		return err
	}
	body := []byte(sender.PushBody(0))
	header, _ := sender.Header(sender.GitHub, "")
	send := func() error {
		return pace.Together(senders, n, func(i int) error {
			d := pace.Delivery(i, fmt.Sprint("key", i))
			d.Header, d.Body = header, body
			return first.Handle(ctx, d)
		})
	}
	if r.filled {
		if err := send(); err != nil {
			return err
		}
	}
	start, cpu, meter := time.Now(), pace.ProcessTime(), e.Meter()
	ended := make(chan error, len(parts))
	for _, run := range parts {
		go func() { ended <- run(ctx) }()
	}
	if !r.filled {
		if err := send(); err != nil {
			return err
		}
	}
	running := len(parts)
	select {
	case <-arrived.all:
	case err = <-ended: // too early
		running--
		err = errors.Join(errors.New("a part has ended"), err)
	case <-ctx.Done():
		err = ctx.Err()
	}
	took, used, servers := time.Since(start), pace.ProcessTime()-cpu, meter.Database()
	stop()
	for range running {
		err = errors.Join(err, <-ended)
	}
	r.rate = append(r.rate, float64(n)/took.Seconds())
	r.cpu = append(r.cpu, env.Micros(used)/float64(n))
	r.servers = append(r.servers, env.Micros(servers)/float64(n))
	r.p50 = append(r.p50, env.Quantile(arrived.waits, 0.5))
	r.p99 = append(r.p99, env.Quantile(arrived.waits, 0.99))
	return err
}

// relayAim is the least rate in deliveries per second of a Relay into PostgreSQL.
const relayAim = 1000

func printRows(w io.Writer, rows []*row) {
	for _, filled := range []bool{false, true} {
		title := fmt.Sprintf("From acceptance to the callback, %d senders", senders)
		if filled {
			title = "What waits in a queue, passed on"
		}
		env.Head(w, title, "", "deliveries/s:", "best:", "spread:", "p50 ms:", "p99 ms:", "CPU µs:", "servers' CPU µs:")
		for _, r := range rows {
			if r.filled != filled {
				continue
			}
			p50, p99 := fmt.Sprintf("%.1f", env.Median(r.p50)), fmt.Sprintf("%.1f", env.Median(r.p99))
			if filled {
				p50, p99 = "", "" // they waited before the run
			}
			fmt.Fprintf(w, "| %s | %.0f | %.0f | %.0f%% | %s | %s | %.0f | %.0f |\n", r.name, env.Median(r.rate), env.Quantile(r.rate, 1), env.Spread(r.rate),
				p50, p99, env.Median(r.cpu), env.Median(r.servers))
		}
		fmt.Fprintln(w)
	}
	env.PrintAims(w, "Aims of the chain", aimsOf(rows))
}

func aimsOf(rows []*row) (aims []env.Aim) {
	named := func(name string) *row { return env.Find(rows, func(r *row) bool { return r.name == name }) }
	if r := named(relayed); r != nil {
		aims = append(aims, env.NewAim("RabbitMQ to PostgreSQL by a Relay: deliveries/s", false, relayAim, r.rate))
	}
	if r, direct := named(throughBroker), named(straight); r != nil && direct != nil {
		aims = append(aims, env.NewAim("through the broker: deliveries/s, share of those without", false, 0.5, env.Ratios(r.rate, direct.rate)))
	}
	return aims
}
