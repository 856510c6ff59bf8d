package prom

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/hookhouse/hookhouse/webhook"
)

const (
	// defaultStatsInterval is how long numbers are used.
	defaultStatsInterval = 30 * time.Second
	// scrapePatience is how long after the call of Stats a scrape waits for new numbers.
	// Prometheus waits 10 s by default.
	scrapePatience = 5 * time.Second
	// statsTimeout bounds one call of Stats.
	statsTimeout = 2 * time.Minute
	// allTypes is the label of a pause of all types.
	allTypes = "*"
)

// A StatsCollector is a prometheus.Collector of [webhook.Admin.Stats]. Make it with
// [Metrics.Stats] and set its fields before it is registered.
//
// Stats reads every row of an index, so it is asked at most once in an Interval, in one
// goroutine, however often and by how many the metrics are scraped. A scrape waits for new
// numbers until five seconds after they were asked for. If they take longer, it gets those
// before, and the new ones are for a later scrape. If the inbox fails, hookhouse_stats_up is 0, and there are
// no numbers until it answers again.
type StatsCollector struct {
	// Interval is the least time between two calls of Stats. Zero means 30 s.
	Interval time.Duration

	admin webhook.Admin
	types *labelSet

	mu      sync.Mutex
	asked   time.Time     // when the last call began
	running chan struct{} // is closed when the call in progress has returned; nil without one
	last    *statsAnswer
}

// A statsAnswer is what a call of Stats returned.
type statsAnswer struct {
	stats webhook.Stats
	err   error
	at    time.Time
	took  time.Duration
}

var errNoAnswer = errors.New("prom: Stats has not returned")

// Stats returns a Collector of the numbers of stored deliveries. It panics on a nil Admin.
func (m *Metrics) Stats(admin webhook.Admin) *StatsCollector {
	if admin == nil {
		panic("prom: Stats needs an Admin")
	}
	return &StatsCollector{admin: admin, types: m.types}
}

var (
	storedDesc    = prometheus.NewDesc("hookhouse_stored_deliveries", "Deliveries in the inbox.", []string{"type", "state"}, nil)
	oldestDesc    = prometheus.NewDesc("hookhouse_oldest_due_seconds", "How long the oldest delivery could have been claimed.", []string{"type"}, nil)
	unhandledDesc = prometheus.NewDesc("hookhouse_unhandled_types", "Types that are due and that no Worker of this process claims.", nil, nil)
	pausesDesc    = prometheus.NewDesc("hookhouse_pauses", "Pauses in force; the type * is that of all types.", []string{"type"}, nil)
	blockedDesc   = prometheus.NewDesc("hookhouse_pause_blocked_deliveries", "Deliveries of any type that are blocked by one of the paused type.", []string{"type"}, nil)
	statsUpDesc   = prometheus.NewDesc("hookhouse_stats_up", "1 if the inbox answered when it was last asked for its numbers, else 0.", nil, nil)
	statsTookDesc = prometheus.NewDesc("hookhouse_stats_duration_seconds", "How long the last answer took.", nil, nil)
	statsAtDesc   = prometheus.NewDesc("hookhouse_stats_timestamp_seconds", "When the numbers were read, as Unix time.", nil, nil)
)

// Describe is for a prometheus.Registry.
func (c *StatsCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{storedDesc, oldestDesc, unhandledDesc, pausesDesc, blockedDesc, statsUpDesc, statsTookDesc, statsAtDesc} {
		ch <- d
	}
}

// Collect is for a prometheus.Registry.
func (c *StatsCollector) Collect(ch chan<- prometheus.Metric) {
	gauge := func(desc *prometheus.Desc, value float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
	}
	answer := c.answer()
	gauge(statsUpDesc, number(answer != nil && answer.err == nil))
	if answer == nil {
		return
	}
	gauge(statsTookDesc, answer.took.Seconds())
	if answer.err != nil {
		return
	}
	gauge(statsAtDesc, float64(answer.at.UnixMilli())/1000)
	gauge(unhandledDesc, float64(len(answer.stats.Unhandled)))
	counts := make(map[[2]string]int)
	for typ, states := range answer.stats.Types {
		for state, n := range states {
			counts[[2]string{c.types.label(typ), string(state)}] += n
		}
	}
	for labels, n := range counts {
		gauge(storedDesc, float64(n), labels[0], labels[1])
	}
	oldest := make(map[string]time.Duration)
	for typ, age := range answer.stats.Oldest {
		label := c.types.label(typ)
		oldest[label] = max(oldest[label], age)
	}
	for label, age := range oldest {
		gauge(oldestDesc, age.Seconds(), label)
	}
	pauses, blocked := make(map[string]int), make(map[string]int)
	for _, p := range answer.stats.Paused {
		label := allTypes
		if p.Type != "" {
			label = c.types.label(p.Type)
		}
		pauses[label]++
		blocked[label] += p.Blocked
	}
	for label, n := range pauses {
		gauge(pausesDesc, float64(n), label)
		gauge(blockedDesc, float64(blocked[label]), label)
	}
}

// answer returns the newest answer of the inbox. It asks for a new one if it is time for
// that, and waits a while for it. It returns nil if there is none yet.
func (c *StatsCollector) answer() *statsAnswer {
	c.mu.Lock()
	interval := c.Interval
	if interval <= 0 {
		interval = defaultStatsInterval
	}
	if c.running == nil && (c.asked.IsZero() || time.Since(c.asked) >= interval) {
		c.asked, c.running = time.Now(), make(chan struct{})
		go c.ask(c.asked, c.running)
	}
	running, began := c.running, c.asked
	c.mu.Unlock()
	if running != nil {
		patience := time.NewTimer(scrapePatience - time.Since(began))
		defer patience.Stop()
		select {
		case <-running:
		case <-patience.C:
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.running != nil && time.Since(c.asked) > statsTimeout { // it ignores the end of its context
		return &statsAnswer{err: errNoAnswer, took: time.Since(c.asked)}
	}
	return c.last
}

// ask calls Stats and keeps its answer. It closes returned, also if Stats panics or ends
// the goroutine.
func (c *StatsCollector) ask(began time.Time, returned chan struct{}) {
	answer := &statsAnswer{err: errNoAnswer} // of a Stats that ends its goroutine
	defer func() {
		if v := recover(); v != nil {
			answer = &statsAnswer{err: fmt.Errorf("prom: Stats panicked: %v", v)}
		}
		answer.at, answer.took = time.Now(), time.Since(began)
		c.mu.Lock()
		defer c.mu.Unlock()
		c.last, c.running = answer, nil
		close(returned)
	}()
	ctx, cancel := context.WithTimeout(context.Background(), statsTimeout)
	defer cancel()
	stats, err := c.admin.Stats(ctx)
	answer = &statsAnswer{stats: stats, err: err}
}
