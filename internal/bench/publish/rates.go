package publish

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"time"

	"github.com/hookhouse/hookhouse/internal/bench/env"
	"github.com/hookhouse/hookhouse/internal/bench/pace"
	"github.com/hookhouse/hookhouse/internal/bench/receive"
)

// A row is an implementation with a number of endpoints, and the figures of its runs.
type row struct {
	impl
	endpoints int
	events    []float64 // published per second; none if nothing is stored
	rate      []float64 // deliveries per second, once all are published
	whole     []float64 // deliveries per second, from the first event that is published
	cpu       []float64 // µs of this process for each delivery, once all are published
	database  []float64 // the same of PostgreSQL
	allocs    []float64 // for each delivery, once all are published
}

// audience is who gets the events: with more than one endpoint, one of ours hangs. The
// others have none that hangs, since nothing keeps it from delaying all.
func (r *row) audience() audience {
	if r.kind == receive.Ours && r.endpoints > 1 {
		return audience{r.endpoints - 1, true}
	}
	return audience{r.endpoints, false}
}

// A figure is what one run has measured.
type figure struct {
	events, rate, whole, cpu, database, allocs float64
}

func (r *row) add(f figure) {
	if f.events > 0 {
		r.events = append(r.events, f.events)
	}
	r.rate, r.whole, r.allocs = append(r.rate, f.rate), append(r.whole, f.whole), append(r.allocs, f.allocs)
	r.cpu, r.database = append(r.cpu, f.cpu), append(r.database, f.database)
}

// measureRates runs all implementations with all numbers of endpoints in each pass.
func (c command) measureRates(ctx context.Context, e *env.Env) ([]*row, error) {
	var rows []*row
	for _, n := range c.endpoints {
		for _, m := range impls {
			if e.Has(m.backend) && env.Named(m.name+", "+string(m.backend), c.impls) {
				rows = append(rows, &row{impl: m, endpoints: n})
			}
		}
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("no name contains %q", c.impls)
	}
	return rows, env.Rounds(c.count, len(rows), len(rows)/len(c.endpoints), func(i int) error {
		r := rows[i]
		f, err := c.run(ctx, e, r.impl, r.audience())
		if err != nil {
			return fmt.Errorf("%s, %s, %d endpoints: %w", r.name, r.backend, r.endpoints, err)
		}
		r.add(f)
		return nil
	})
}

// run publishes to an audience on an empty store and delivers all of it.
func (c command) run(ctx context.Context, e *env.Env, m impl, a audience) (f figure, err error) {
	at, remove, err := e.Make(ctx, m.backend)
	if err != nil {
		return f, err
	}
	defer func() { err = errors.Join(err, remove()) }()
	s, err := startSink(ctx)
	if err != nil {
		return f, err
	}
	defer s.child.Kill()
	o, err := m.open(ctx, at, s, a)
	if err != nil {
		return f, err
	}
	defer func() { err = errors.Join(err, o.close()) }()
	events := (c.deliveries + a.all() - 1) / a.all()
	if _, err := o.round(ctx, e, a, a.warmUp()); err != nil {
		return f, fmt.Errorf("warming up: %w", err)
	}
	stop, err := env.Profile(c.profiles, fmt.Sprintf("%s-%s-%d", m.name, m.backend, a.all()))
	if err != nil {
		return f, err
	}
	if f, err = o.round(ctx, e, a, events); err != nil {
		return f, err
	}
	if err := stop(); err != nil {
		return f, err
	}
	return f, o.check(ctx, s, (a.warmUp()+events)*a.good, a)
}

// round publishes events and then delivers them.
func (o *opened) round(ctx context.Context, e *env.Env, a audience, events int) (f figure, err error) {
	var publishing time.Duration
	if o.publish != nil {
		start := time.Now()
		if err := o.publish(ctx, events); err != nil {
			return f, err
		}
		publishing = time.Since(start)
		f.events = float64(events) / publishing.Seconds()
	}
	runtime.GC()
	meter := e.Meter()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	cpu := pace.ProcessTime()
	n := float64(events * a.good)
	took, err := o.deliver(ctx, events*a.good)
	if err != nil {
		return f, err
	}
	f.cpu = env.Micros(pace.ProcessTime()-cpu) / n
	runtime.ReadMemStats(&after)
	f.database = env.Micros(meter.Database()) / n
	f.rate, f.whole, f.allocs = n/took.Seconds(), n/(publishing+took).Seconds(), float64(after.Mallocs-before.Mallocs)/n
	return f, nil
}

// check compares what the sink has got, and what is settled, with what was delivered.
func (o *opened) check(ctx context.Context, s *sink, deliveries int, a audience) error {
	got, err := s.end()
	if err == nil {
		err = got.accounted(deliveries, a.hanging)
	}
	if err != nil || o.settled == nil {
		return err
	}
	settled, err := o.settled(ctx)
	if err == nil && settled != deliveries {
		err = fmt.Errorf("%d of %d deliveries are settled", settled, deliveries)
	}
	return err
}

// beside returns the row of another implementation with the same database and endpoints, or
// nil.
func (r *row) beside(rows []*row, name string) *row {
	return env.Find(rows, func(o *row) bool {
		return o.name == name && (o.backend == r.backend || o.backend == env.Memory) && o.endpoints == r.endpoints
	})
}

// used is the processor time for each delivery, with that of the database.
func (r *row) used() float64 { return env.Median(r.cpu) + env.Median(r.database) }

// aims compare the deliveries per second of two rows: from the first event that is
// published, and once all are. By then the other row has stored each delivery, and ours
// none.
func (r *row) aims(against string, want float64, other *row) []env.Aim {
	what := fmt.Sprintf("%s, endpoints: %d: deliveries/s, ", r.backend, r.endpoints)
	published := env.NewAim(what+against+", once all is published", false, want, env.Ratios(r.rate, other.rate))
	if r.used() > 0 {
		published.CPU = other.used() / r.used()
	}
	return []env.Aim{env.NewAim(what+against, false, want, env.Ratios(r.whole, other.whole)), published}
}

// floorShare is the share of the floor's rate that is wanted: an event with one endpoint is
// claimed and settled twice as often.
func floorShare(endpoints int) float64 {
	if endpoints < 10 {
		return 0.45
	}
	return 0.75
}

func rateAims(rows []*row) (aims []env.Aim) {
	for _, r := range rows {
		if r.kind != receive.Ours {
			continue
		}
		if floor := r.beside(rows, floorName); floor != nil {
			aims = append(aims, r.aims("share of the Worker's", floorShare(r.endpoints), floor)...)
		}
		if peer := r.beside(rows, riverName); peer != nil {
			aims = append(aims, r.aims("times River's", 1, peer)...)
		}
	}
	return aims
}

func printRates(w io.Writer, rows []*row) {
	env.Head(w, fmt.Sprintf("Publish, then deliver to a local sink, payloads of %d bytes, requests at once: %d", bodySize, concurrency), "endpoints:", "", "", "in",
		"events/s:", "deliveries/s:", "spread:", "once published:", "spread:", "x the loop:", "CPU µs:", "database CPU µs:", "allocations:")
	for _, r := range rows {
		events, database, loop := "", "", ""
		if len(r.events) > 0 {
			events = fmt.Sprintf("%.0f", env.Median(r.events))
		}
		if r.backend == env.PostgreSQL {
			database = fmt.Sprintf("%.0f", env.Median(r.database))
		}
		if l := r.beside(rows, loopName); l != nil {
			loop = fmt.Sprintf("%.2f", env.Ratio(r.rate, l.rate))
		}
		fmt.Fprintf(w, "| %d | %s | %s | %s | %s | %.0f | %.0f%% | %.0f | %.0f%% | %s | %.0f | %s | %.0f |\n", r.endpoints, r.name, r.kind, r.backend, events,
			env.Median(r.whole), env.Spread(r.whole), env.Median(r.rate), env.Spread(r.rate), loop, env.Median(r.cpu), database, env.Median(r.allocs))
	}
	fmt.Fprintln(w)
	env.PrintAims(w, "Aims of publishing", rateAims(rows))
}
