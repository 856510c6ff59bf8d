package main

import (
	"fmt"
	"net/http"
	"runtime"
	"time"

	"github.com/hookhouse/hookhouse/internal/bench/pace"
)

// slice is how long one contender is measured at a stretch. It is short, so that
// what disturbs the machine for a second hits every contender of a round.
const slice = 50 * time.Millisecond

// A sample is the cost of one call, from one slice.
type sample struct {
	ns     float64 // by the clock
	cpu    float64 // ns of all the process's threads, its collector's too; 0 where the system does not tell
	bytes  float64
	allocs float64
}

// A bench is one contender at work on one body.
type bench struct {
	contender
	body    body
	handler http.Handler
	got     int // how many values it handed over
	n       int // how many calls fill a slice
	samples []sample
}

func newBench(c contender, b body) *bench {
	w := &bench{contender: c, body: b}
	w.handler = c.open(func(any) { w.got++ })
	return w
}

// run makes n calls, each of which must be accepted and hand over one value.
func (b *bench) run(n int) (time.Duration, error) {
	c := newCall(b.from, b.body.text)
	b.got = 0
	start := time.Now()
	for i := range n {
		if status := c.serve(b.handler); status != http.StatusAccepted || b.got != i+1 {
			return 0, fmt.Errorf("%s, %s: call %d was answered %d and handed over %d values", b.name, b.body.name, i, status, b.got)
		}
	}
	return time.Since(start), nil
}

// calibrate finds how many calls fill a slice, and fills the contender's pools.
func (b *bench) calibrate(d time.Duration) error {
	for b.n = 1; ; b.n *= 2 {
		took, err := b.run(b.n)
		if err != nil {
			return err
		}
		if took > d/8 {
			b.n = max(1, int(float64(b.n)*float64(d)/float64(took)))
			return nil
		}
	}
}

// measure takes one sample. Bytes and allocations are the whole process's, which
// does nothing else meanwhile.
func (b *bench) measure() error {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	used := pace.ProcessTime()
	took, err := b.run(b.n)
	if err != nil {
		return err
	}
	used = pace.ProcessTime() - used
	runtime.ReadMemStats(&after)
	n := float64(b.n)
	b.samples = append(b.samples, sample{
		ns:     float64(took) / n,
		cpu:    float64(used) / n,
		bytes:  float64(after.TotalAlloc-before.TotalAlloc) / n,
		allocs: float64(after.Mallocs-before.Mallocs) / n,
	})
	return nil
}

// runRace measures all contenders of a race in rounds. Each round goes through
// all of them and begins with another one.
func runRace(r race, count int, benchtime time.Duration) ([]*bench, error) {
	d := min(slice, benchtime)
	benches := make([]*bench, len(r.contenders))
	for i, c := range r.contenders {
		benches[i] = newBench(c, r.body)
		if err := benches[i].calibrate(d); err != nil {
			return nil, err
		}
	}
	for round := range count * int(benchtime/d) {
		for i := range benches {
			if err := benches[(i+round)%len(benches)].measure(); err != nil {
				return nil, err
			}
		}
	}
	return benches, nil
}
