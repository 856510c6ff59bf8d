package prom_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/prom"
)

// scrape returns the sum of each gauge.
func scrape(t *testing.T, c prometheus.Collector) map[string]float64 {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(c)
	families, err := registry.Gather()
	if err != nil {
		t.Error(err)
	}
	got := make(map[string]float64)
	for _, f := range families {
		name := strings.TrimPrefix(f.GetName(), "hookhouse_")
		for _, m := range f.GetMetric() {
			got[name] += m.GetGauge().GetValue()
		}
	}
	delete(got, "stats_timestamp_seconds")
	return got
}

func counting(calls *atomic.Int64, stats func(ctx context.Context, call int64) error) fakeAdmin {
	return fakeAdmin{stats: func(ctx context.Context) (webhook.Stats, error) {
		n := calls.Add(1)
		if err := stats(ctx, n); err != nil {
			return webhook.Stats{}, err
		}
		return webhook.Stats{Types: map[string]map[webhook.State]int{"acme.push": {webhook.Done: int(n)}}}, nil
	}}
}

func TestStatsAreReadOnceInAnInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int64
		c := prom.New().Stats(counting(&calls, func(context.Context, int64) error { return nil }))
		c.Interval = time.Minute
		for second := range 180 {
			var all sync.WaitGroup
			for range 3 {
				all.Go(func() {
					if got, want := scrape(t, c)["stored_deliveries"], float64(1+second/60); got != want {
						t.Errorf("after %d s: %v deliveries, want %v", second, got, want)
					}
				})
			}
			all.Wait()
			time.Sleep(time.Second)
		}
		if n := calls.Load(); n != 3 {
			t.Errorf("%d calls of Stats in 3 minutes, want 3", n)
		}
	})
}

func TestAScrapeDoesNotWaitLongForStats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int64
		c := prom.New().Stats(counting(&calls, func(_ context.Context, call int64) error {
			time.Sleep(20 * time.Second)
			return nil
		}))
		began := time.Now()
		want := func(after time.Duration, want map[string]float64) {
			t.Helper()
			if diff := cmp.Diff(want, scrape(t, c)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if took := time.Since(began); took != after {
				t.Errorf("the scrape ended after %v, want %v", took, after)
			}
		}
		want(5*time.Second, map[string]float64{"stats_up": 0})
		want(5*time.Second, map[string]float64{"stats_up": 0}) // only the first one waits
		time.Sleep(15*time.Second + time.Millisecond)
		first := map[string]float64{"stats_up": 1, "stored_deliveries": 1, "stats_duration_seconds": 20, "unhandled_types": 0}
		want(20*time.Second+time.Millisecond, first)
		time.Sleep(20 * time.Second)
		want(45*time.Second+time.Millisecond, first) // the numbers before
		if n := calls.Load(); n != 2 {
			t.Errorf("%d calls of Stats, want 2", n)
		}
		time.Sleep(20 * time.Second) // the second call returns
	})
}

// No fault of the inbox leaves old numbers or ends the scrape.
func TestStatsThatFail(t *testing.T) {
	for name, fail := range map[string]func() error{
		"an error":  func() error { return errors.New("no connection") },
		"a panic":   func() error { panic("ouch") },
		"a Goexit":  func() error { runtime.Goexit(); return nil },
		"no return": func() error { time.Sleep(time.Hour); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var calls atomic.Int64
				c := prom.New().Stats(counting(&calls, func(_ context.Context, call int64) error {
					if call == 2 {
						return fail()
					}
					return nil
				}))
				if got := scrape(t, c); got["stats_up"] != 1 || got["stored_deliveries"] != 1 {
					t.Fatalf("at first %v", got)
				}
				time.Sleep(time.Minute)
				scrape(t, c) // sees the failure, or waits in vain
				time.Sleep(3 * time.Minute)
				got := scrape(t, c)
				if name == "no return" {
					if got["stats_up"] != 0 || got["stored_deliveries"] != 0 {
						t.Errorf("while Stats does not return: %v", got)
					}
					time.Sleep(time.Hour)
					got = scrape(t, c)
				}
				if got["stats_up"] != 1 || got["stored_deliveries"] != 3 {
					t.Errorf("after the failure %v, want the numbers of the third call", got)
				}
			})
		})
	}
}

func TestAFailureOfStatsIsSeen(t *testing.T) {
	c := prom.New().Stats(fakeAdmin{stats: func(context.Context) (webhook.Stats, error) { return webhook.Stats{}, errors.New("no connection") }})
	got := scrape(t, c)
	if _, numbers := got["unhandled_types"]; numbers || got["stats_up"] != 0 {
		t.Errorf("scraped %v, want stats_up 0 and no numbers", got)
	}
}

// A pause of all types has a label of its own. Types without a label share one.
func TestPausesAreCountedByType(t *testing.T) {
	paused := []webhook.Pause{{Blocked: 7}, {Type: "acme.deploy", Blocked: 2}, {Type: "acme.a", Blocked: 3}, {Type: "acme.b"}}
	c := prom.New("acme.deploy", "acme.push").Stats(fakeAdmin{stats: func(context.Context) (webhook.Stats, error) {
		return webhook.Stats{Paused: paused}, nil
	}})
	want := `
# HELP hookhouse_pause_blocked_deliveries Deliveries of any type that are blocked by one of the paused type.
# TYPE hookhouse_pause_blocked_deliveries gauge
hookhouse_pause_blocked_deliveries{type="*"} 7
hookhouse_pause_blocked_deliveries{type="acme.deploy"} 2
hookhouse_pause_blocked_deliveries{type="other"} 3
# HELP hookhouse_pauses Pauses in force; the type * is that of all types.
# TYPE hookhouse_pauses gauge
hookhouse_pauses{type="*"} 1
hookhouse_pauses{type="acme.deploy"} 1
hookhouse_pauses{type="other"} 2
`
	if err := testutil.CollectAndCompare(c, strings.NewReader(want), "hookhouse_pauses", "hookhouse_pause_blocked_deliveries"); err != nil {
		t.Error(err)
	}
}

func TestStatsPanicsOnANilAdmin(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	prom.New().Stats(nil)
}
