package main

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// metrics collects metrics from the observers of receivers, workers and the
// inbox, and from the stored deliveries.
type metrics struct {
	registry   *prometheus.Registry
	rejected   *prometheus.CounterVec
	received   *prometheus.HistogramVec
	attempts   *prometheus.HistogramVec
	lost       prometheus.Counter
	overdue    *prometheus.CounterVec
	repaired   prometheus.Counter
	superseded *prometheus.CounterVec
	batches    prometheus.Histogram
}

// newMetrics sets the inbox's Observer, so call it before the inbox is used.
func newMetrics(inbox *sqlinbox.Inbox) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		rejected: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hookhouse_rejected_total", Help: "Requests rejected before they became a delivery.",
		}, []string{"source", "status"}),
		received: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "hookhouse_received_seconds", Help: "Time from a request to its response.",
		}, []string{"type", "outcome"}),
		attempts: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "hookhouse_attempt_seconds", Help: "Duration of an attempt, by the resulting state.",
			Buckets: prometheus.ExponentialBuckets(0.01, 4, 9),
		}, []string{"type", "state"}),
		lost: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "hookhouse_claims_lost_total", Help: "Claims that were lost before they could be settled.",
		}),
		overdue: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hookhouse_overdue_minutes_total", Help: "Minutes that callbacks have run beyond their time limit.",
		}, []string{"type"}),
		repaired: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "hookhouse_repaired_keys_total", Help: "Ordering keys with stuck deliveries that were repaired. Each one indicates a bug.",
		}),
		superseded: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hookhouse_superseded_total", Help: "Deliveries superseded by a newer one of the same burst.",
		}, []string{"type"}),
		batches: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "hookhouse_batch_puts", Help: "Number of deliveries stored in one transaction.",
			Buckets: prometheus.ExponentialBuckets(1, 2, 9),
		}),
	}
	m.registry.MustRegister(m.rejected, m.received, m.attempts, m.lost, m.overdue, m.repaired, m.superseded, m.batches, inboxCollector{inbox})
	inbox.Observer = &sqlinbox.Observer{
		Superseded: func(_ context.Context, _ string, by *webhook.Delivery) { m.superseded.WithLabelValues(by.Type).Inc() },
		Batch: func(puts, _ int, _ time.Duration, err error) {
			if err == nil {
				m.batches.Observe(float64(puts))
			}
		},
		Repaired: func(context.Context, string, string) { m.repaired.Inc() },
	}
	return m
}

// observer returns the Observer for receivers and workers.
func (m *metrics) observer() *webhook.Observer {
	return &webhook.Observer{
		Rejected: func(_ context.Context, source string, status int, _ error) {
			m.rejected.WithLabelValues(source, strconv.Itoa(status)).Inc()
		},
		Received: func(_ context.Context, d *webhook.Delivery, err error, took time.Duration) {
			outcome := "stored"
			switch {
			case webhook.IsDuplicate(err):
				outcome = "duplicate"
			case errors.Is(err, webhook.ErrIgnored):
				outcome = "ignored"
			case err != nil:
				outcome = "failed"
			}
			m.received.WithLabelValues(d.Type, outcome).Observe(took.Seconds())
		},
		Settled: func(_ context.Context, c webhook.Claim, o webhook.Outcome, took time.Duration) {
			m.attempts.WithLabelValues(c.Delivery.Type, string(o.State)).Observe(took.Seconds())
			if o.State == webhook.Superseded { // a newer delivery arrived before the retry
				m.superseded.WithLabelValues(c.Delivery.Type).Inc()
			}
		},
		Lost: func(context.Context, webhook.Claim) { m.lost.Inc() },
		Overdue: func(_ context.Context, c webhook.Claim, _ time.Duration) {
			m.overdue.WithLabelValues(c.Delivery.Type).Inc()
		},
	}
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Registry: m.registry})
}

// inboxCollector reads the inbox at each scrape.
type inboxCollector struct{ inbox webhook.Admin }

var (
	storedDeliveries = prometheus.NewDesc("hookhouse_deliveries", "Number of stored deliveries.", []string{"type", "state"}, nil)
	oldestWaiting    = prometheus.NewDesc("hookhouse_oldest_seconds", "How long the oldest delivery has been due.", []string{"type"}, nil)
)

func (inboxCollector) Describe(ch chan<- *prometheus.Desc) {
	ch <- storedDeliveries
	ch <- oldestWaiting
}

func (c inboxCollector) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	stats, err := c.inbox.Stats(ctx)
	if err != nil {
		ch <- prometheus.NewInvalidMetric(storedDeliveries, err)
		return
	}
	for typ, states := range stats.Types {
		for state, n := range states {
			ch <- prometheus.MustNewConstMetric(storedDeliveries, prometheus.GaugeValue, float64(n), typ, string(state))
		}
	}
	for typ, age := range stats.Oldest {
		ch <- prometheus.MustNewConstMetric(oldestWaiting, prometheus.GaugeValue, age.Seconds(), typ)
	}
}
