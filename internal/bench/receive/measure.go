package receive

import (
	"fmt"
	"net/http"
	"runtime"
	"time"

	"github.com/hookhouse/hookhouse/internal/bench/env"
	"github.com/hookhouse/hookhouse/internal/bench/pace"
	"github.com/hookhouse/hookhouse/internal/bench/sender"
)

// slice is how long one implementation is measured before the next one's turn. It
// is short, so that what disturbs the machine for a second affects all of them.
const slice = 50 * time.Millisecond

// A bench is an implementation and a body, with the cost of one call in each
// slice.
type bench struct {
	Impl
	body    sender.Body
	handler http.Handler
	got     int // how many values the handler handed over
	n       int // how many calls take as long as a slice

	ns     []float64 // by the clock
	cpu    []float64 // ns of all threads of the process, including the collector; 0 if the system does not say
	bytes  []float64
	allocs []float64
}

func (b *bench) costs() []float64 { return b.ns }

func newBench(c Impl, b sender.Body) *bench {
	w := &bench{Impl: c, body: b}
	w.handler = c.Open(func(any) { w.got++ })
	return w
}

// run makes n calls, each of which must be accepted and hand over one value.
func (b *bench) run(n int) (time.Duration, error) {
	c := sender.NewCall(b.from, b.body.Text)
	b.got = 0
	start := time.Now()
	for i := range n {
		if status := c.Serve(b.handler); status != http.StatusAccepted || b.got != i+1 {
			return 0, fmt.Errorf("%s, %s: call %d was answered %d and handed over %d values", b.Name, b.body.Name, i, status, b.got)
		}
	}
	return time.Since(start), nil
}

// calibrate finds out how many calls take as long as a slice, and warms up the
// pools of the implementation.
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

// measure measures one slice. Bytes and allocations are those of the process, which
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
	b.ns = append(b.ns, float64(took)/n)
	b.cpu = append(b.cpu, float64(used)/n)
	b.bytes = append(b.bytes, float64(after.TotalAlloc-before.TotalAlloc)/n)
	b.allocs = append(b.allocs, float64(after.Mallocs-before.Mallocs)/n)
	return nil
}

// runRace measures all implementations of a race in rounds.
func runRace(r race, count int, benchtime time.Duration) ([]*bench, error) {
	d := min(slice, benchtime)
	benches := make([]*bench, len(r.impls))
	for i, c := range r.impls {
		benches[i] = newBench(c, r.body)
		if err := benches[i].calibrate(d); err != nil {
			return nil, err
		}
	}
	return benches, env.Rounds(count*int(benchtime/d), len(benches), len(benches), func(i int) error { return benches[i].measure() })
}
