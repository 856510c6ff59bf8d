package prom

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/hookhouse/hookhouse/webhook"
)

// Health returns a Collector of the [webhook.Worker.Health] of Workers. The keys of the map
// are the values of the label worker: give each Worker a name that stays the same when the
// process restarts. Health copies the map.
func Health(workers map[string]*webhook.Worker) prometheus.Collector {
	c := &healthCollector{workers: make(map[string]*webhook.Worker, len(workers))}
	for name, w := range workers {
		c.workers[name] = w
	}
	gauge := func(name, help string, value func(webhook.Health) float64) {
		c.gauges = append(c.gauges, healthGauge{prometheus.NewDesc("hookhouse_worker_"+name, help, []string{"worker"}, nil), value})
	}
	gauge("running", "1 while Run runs, else 0.", func(h webhook.Health) float64 { return number(h.Running) })
	gauge("slots", "Attempts that may run at once.", func(h webhook.Health) float64 { return float64(h.Slots) })
	gauge("slots_in_use", "Attempts in progress.", func(h webhook.Health) float64 { return float64(h.InUse) })
	gauge("slots_overdue", "Slots that hold a callback that should have returned.", func(h webhook.Health) float64 { return float64(h.Overdue) })
	gauge("slots_unsettled", "Slots with finished work that the inbox has not settled for a lease.", func(h webhook.Health) float64 { return float64(h.Unsettled) })
	gauge("suspects", "Claims that wait until they can run alone.", func(h webhook.Health) float64 { return float64(h.Suspects) })
	gauge("claim_wait_seconds", "How long the inbox has not answered a Claim.", func(h webhook.Health) float64 { return h.Waiting.Seconds() })
	gauge("last_claim_timestamp_seconds", "When the inbox last answered a Claim, as Unix time; 0 if never.", func(h webhook.Health) float64 {
		if h.LastClaim.IsZero() {
			return 0
		}
		return float64(h.LastClaim.UnixMilli()) / 1000
	})
	return c
}

func number(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

type healthCollector struct {
	workers map[string]*webhook.Worker
	gauges  []healthGauge
}

type healthGauge struct {
	desc  *prometheus.Desc
	value func(webhook.Health) float64
}

func (c *healthCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, g := range c.gauges {
		ch <- g.desc
	}
}

func (c *healthCollector) Collect(ch chan<- prometheus.Metric) {
	for name, w := range c.workers {
		h := w.Health()
		for _, g := range c.gauges {
			ch <- prometheus.MustNewConstMetric(g.desc, prometheus.GaugeValue, g.value(h), name)
		}
	}
}
