package publish

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strconv"
	"sync/atomic"

	"github.com/hookhouse/hookhouse/internal/bench/env"
	"github.com/hookhouse/hookhouse/internal/bench/pace"
	"github.com/hookhouse/hookhouse/internal/bench/schema"
	"github.com/hookhouse/hookhouse/webhook/publish"
)

const (
	// fewEndpoints is what many endpoints are compared with.
	fewEndpoints = 10
	// flat is the most that the memory may be, as a multiple of that of few.
	flat = 1.5
	// fillLanes is how many lanes the endpoints of filled tables have: the default.
	fillLanes = 4
)

// A load is how much a process has to do whose memory is measured.
type load struct {
	backend            env.Backend
	endpoints, waiting int
	memory
}

// A memory is what a process used that has delivered something.
type memory struct {
	Heap uint64 // in use, after a collection
	Peak uint64 // the most that was resident; zero if the system does not say
}

// waitingFor is the shape of deliveries that wait for endpoints, whose numbers are those
// of [id].
func waitingFor(endpoints int) schema.Shape {
	keys := endpoints * fillLanes
	return schema.Shape{
		Source: `'publish'`, Type: `'publish.delivery'`,
		Key:    fmt.Sprintf(`'ep' || (i %% %d) || '/' || (i %% %d / %d)`, endpoints, keys, endpoints),
		State:  schema.First(fmt.Sprintf(`i <= %d`, keys)),
		Header: fmt.Sprintf(`'{"Publish-Type":["%s"],"Publish-Event":["uid' || i || '"],"Publish-Endpoint":["ep' || (i %% %d) || '"]}'`, eventType, endpoints),
	}
}

// measureMemory measures a process with little to do, one with many deliveries that wait,
// and one with many endpoints, on each database.
func (c command) measureMemory(ctx context.Context, e *env.Env) (all []*load, err error) {
	for _, b := range env.Databases {
		if !e.Has(b) || !env.Named(oursName+", "+string(b), c.impls) {
			continue
		}
		for _, l := range []load{{b, fewEndpoints, c.handled, memory{}}, {b, fewEndpoints, c.waiting, memory{}}, {b, c.many, c.handled, memory{}}} {
			if err := l.measure(ctx, e, c.handled); err != nil {
				return nil, fmt.Errorf("%s, %d endpoints, %d waiting: %w", b, l.endpoints, l.waiting, err)
			}
			all = append(all, &l)
		}
	}
	return all, nil
}

// measure fills a store and lets another process deliver some of it.
func (l *load) measure(ctx context.Context, e *env.Env, handled int) (err error) {
	at, remove, err := e.Make(ctx, l.backend)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, remove()) }()
	h, err := openHouse(ctx, l.backend, at)
	if err != nil {
		return err
	}
	err = pace.Together(publishers, l.endpoints, func(i int) error { return h.create(ctx, id(i), "http://127.0.0.1/"+strconv.Itoa(i), 0) })
	if err == nil {
		err = waitingFor(l.endpoints).Fill(ctx, h.DB, l.backend, l.waiting)
	}
	if err := errors.Join(err, h.Store.Close()); err != nil {
		return err
	}
	return env.Result(env.Self(ctx, "publish-memory", memoryOrder{l.backend, at, handled}), &l.memory)
}

// A memoryOrder is the task of the process whose memory is measured: it publishes an event
// and delivers that many of what waits.
type memoryOrder struct {
	Backend env.Backend
	At      string
	Handled int
}

func (o memoryOrder) measure(ctx context.Context) (m memory, err error) {
	h, err := openHouse(ctx, o.Backend, o.At)
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, h.Store.Close()) }()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var made atomic.Int64
	h.Transport = answers{}
	h.Observer = &publish.Observer{Attempted: func(context.Context, *publish.Endpoint, publish.Attempt) {
		if made.Add(1) == int64(o.Handled) {
			stop()
		}
	}}
	if _, err := h.Publish(ctx, publish.Event{Type: eventType, Payload: body}); err != nil {
		return m, err
	}
	if err := h.Run(ctx); err != nil {
		return m, err
	}
	if n := made.Load(); n < int64(o.Handled) {
		return m, fmt.Errorf("%d attempts, want %d", n, o.Handled)
	}
	var stats runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&stats)
	runtime.KeepAlive(h)
	return memory{stats.HeapInuse, env.PeakMemory()}, nil
}

// answers is a transport that answers each request with 200, without a network.
type answers struct{}

func (answers) RoundTrip(r *http.Request) (*http.Response, error) {
	_, err := io.Copy(io.Discard, r.Body)
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(nil)), Request: r}, err
}

// memoryAims compare each load with the small one before it.
func memoryAims(all []*load) (aims []env.Aim) {
	var small *load
	for _, l := range all {
		if small == nil || l.backend != small.backend {
			small = l
			continue
		}
		text := fmt.Sprintf("%s, endpoints: %d, waiting: %d: peak of memory, times that of endpoints: %d, waiting: %d", l.backend, l.endpoints, l.waiting, small.endpoints, small.waiting)
		if small.Peak > 0 {
			aims = append(aims, env.NewAim(text, true, flat, []float64{float64(l.Peak) / float64(small.Peak)}))
		}
	}
	return aims
}

func (c command) printMemory(w io.Writer, all []*load) {
	env.Head(w, fmt.Sprintf("Memory of a process that delivers %d of what waits, and an event to all endpoints", c.handled),
		"in", "endpoints:", "waiting:", "heap in use, KiB:", "peak resident, KiB:")
	for _, l := range all {
		fmt.Fprintf(w, "| %s | %d | %d | %d | %d |\n", l.backend, l.endpoints, l.waiting, l.Heap>>10, l.Peak>>10)
	}
	fmt.Fprintln(w)
	env.PrintAims(w, "Aims of memory", memoryAims(all))
}
