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

// metrics counts what receivers, workers and the inbox tell, and what is stored.
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
	deploys    *prometheus.CounterVec
}

// newMetrics has the inbox tell it too, so call it before the inbox is used.
func newMetrics(inbox *sqlinbox.Inbox) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		rejected: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hookhouse_rejected_total", Help: "Calls refused before there was a delivery.",
		}, []string{"source", "status"}),
		received: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "hookhouse_received_seconds", Help: "Time from a call to its answer.",
		}, []string{"type", "outcome"}),
		attempts: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "hookhouse_attempt_seconds", Help: "Time of an attempt, by the state it led to.",
			Buckets: prometheus.ExponentialBuckets(0.01, 4, 9),
		}, []string{"type", "state"}),
		lost: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "hookhouse_claims_lost_total", Help: "Claims that were no longer held when they should have been settled.",
		}),
		overdue: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hookhouse_overdue_minutes_total", Help: "Once a minute for each callback that should have returned.",
		}, []string{"type"}),
		repaired: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "hookhouse_repaired_keys_total", Help: "Ordering keys whose deliveries were stuck, and were brought forward: a fault.",
		}),
		superseded: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hookhouse_superseded_total", Help: "Deliveries that a newer one of their burst ended.",
		}, []string{"type"}),
		batches: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "hookhouse_batch_puts", Help: "Deliveries stored by one transaction.",
			Buckets: prometheus.ExponentialBuckets(1, 2, 9),
		}),
		deploys: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "dockerhub_deploys_total", Help: "Deploys by how they ended: deployed, left alone, rolled back, failed.",
		}, []string{"target", "outcome"}),
	}
	m.registry.MustRegister(m.rejected, m.received, m.attempts, m.lost, m.overdue, m.repaired, m.superseded, m.batches, m.deploys, stored{inbox})
	inbox.Observer = &sqlinbox.Observer{
		Superseded: func(_ string, by *webhook.Delivery) { m.superseded.WithLabelValues(by.Type).Inc() },
		Batch: func(puts, _ int, _ time.Duration, err error) {
			if err == nil {
				m.batches.Observe(float64(puts))
			}
		},
		Repaired: func(string, string) { m.repaired.Inc() },
	}
	return m
}

// observer goes to Receiver.Observer and Worker.Observer.
func (m *metrics) observer() *webhook.Observer {
	return &webhook.Observer{
		Rejected: func(source string, status int, _ error) {
			m.rejected.WithLabelValues(source, strconv.Itoa(status)).Inc()
		},
		Received: func(d *webhook.Delivery, err error, took time.Duration) {
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
		Settled: func(c webhook.Claim, o webhook.Outcome, took time.Duration) {
			m.attempts.WithLabelValues(c.Delivery.Type, string(o.State)).Observe(took.Seconds())
			if o.State == webhook.Superseded { // it was to wait, and a newer one was there
				m.superseded.WithLabelValues(c.Delivery.Type).Inc()
			}
		},
		Lost: func(webhook.Claim) { m.lost.Inc() },
		Overdue: func(c webhook.Claim, _ time.Duration) {
			m.overdue.WithLabelValues(c.Delivery.Type).Inc()
		},
	}
}

// deployed counts a deploy.
func (m *metrics) deployed(target, outcome string) { m.deploys.WithLabelValues(target, outcome).Inc() }

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Registry: m.registry})
}

// stored asks the inbox at each scrape.
type stored struct{ inbox webhook.Admin }

var (
	storedDeliveries = prometheus.NewDesc("hookhouse_deliveries", "Stored deliveries.", []string{"type", "state"}, nil)
	oldestWaiting    = prometheus.NewDesc("hookhouse_oldest_seconds", "How long the oldest has been due.", []string{"type"}, nil)
)

func (stored) Describe(ch chan<- *prometheus.Desc) {
	ch <- storedDeliveries
	ch <- oldestWaiting
}

func (s stored) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	stats, err := s.inbox.Stats(ctx)
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
