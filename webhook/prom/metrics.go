package prom

import (
	"github.com/prometheus/client_golang/prometheus"
)

// Metrics are the metrics of what [webhook.Observer] and [sqlinbox.Observer] see. It is a
// prometheus.Collector: register it once, and use its Observers for any number of
// receivers, workers and inboxes. It is safe for concurrent use. Make it with [New].
type Metrics struct {
	types   *labelSet
	sources *labelSet

	rejected    *prometheus.CounterVec
	received    *prometheus.CounterVec
	receiveTime *prometheus.HistogramVec
	bodySize    *prometheus.HistogramVec

	claims      *prometheus.CounterVec
	lag         *prometheus.HistogramVec
	attempts    *prometheus.CounterVec
	attemptTime *prometheus.HistogramVec
	lost        *prometheus.CounterVec
	overdue     *prometheus.CounterVec

	stored     *prometheus.CounterVec
	duplicates *prometheus.CounterVec
	superseded *prometheus.CounterVec
	refused    *prometheus.CounterVec
	putTime    prometheus.Histogram
	commitTime *prometheus.HistogramVec
	batchPuts  prometheus.Histogram
	batchSize  prometheus.Histogram
	swept      prometheus.Counter
	repaired   prometheus.Counter
}

// The buckets of the histograms.
var (
	receiveBuckets = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}
	attemptBuckets = []float64{.01, .05, .1, .5, 1, 5, 10, 30, 60, 300, 900, 3600}
	lagBuckets     = []float64{.01, .1, .5, 1, 5, 15, 60, 300, 1800, 7200, 43200, 86400}
	sizeBuckets    = prometheus.ExponentialBuckets(256, 4, 9) // 256 B to 16 MiB
	countBuckets   = prometheus.ExponentialBuckets(1, 2, 10)  // 1 to 512
)

// New returns Metrics in which the given types have a label of their own, such as those of
// [webhook.Mux.Types]. All other types share the label "other". Without types, as those of
// a Handler that is not a [webhook.Router], the first 100 types that are seen have one.
func New(types ...string) *Metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "hookhouse_" + name, Help: help}, labels)
	}
	histogram := func(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "hookhouse_" + name, Help: help, Buckets: buckets}, labels)
	}
	plainHistogram := func(name, help string, buckets []float64) prometheus.Histogram {
		return prometheus.NewHistogram(prometheus.HistogramOpts{Name: "hookhouse_" + name, Help: help, Buckets: buckets})
	}
	plainCounter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: "hookhouse_" + name, Help: help})
	}
	return &Metrics{
		types:   newLabelSet(types),
		sources: newLabelSet(nil),

		rejected:    counter("requests_rejected_total", "Requests refused before they became a delivery.", "source", "status"),
		received:    counter("received_total", "Deliveries that the Handler of a Receiver was called for.", "source", "type", "outcome"),
		receiveTime: histogram("receive_duration_seconds", "Time from the header of a request to its answer.", receiveBuckets, "source", "outcome"),
		bodySize:    histogram("received_body_bytes", "Sizes of the bodies of deliveries.", sizeBuckets, "source"),

		claims:      counter("claims_total", "Deliveries claimed by a Worker.", "type"),
		lag:         histogram("delivery_lag_seconds", "Time from the arrival of a delivery to the claim of its first attempt.", lagBuckets, "type"),
		attempts:    counter("attempts_total", "Settled claims, by the state of the delivery after it.", "type", "state"),
		attemptTime: histogram("attempt_duration_seconds", "Duration of attempts that began.", attemptBuckets, "type"),
		lost:        counter("claims_lost_total", "Claims that a Worker could not settle.", "type"),
		overdue:     counter("overdue_total", "Reports of callbacks that should have returned, one a minute for each.", "type"),

		stored:     counter("inbox_stored_total", "Deliveries committed by Put.", "source"),
		duplicates: counter("inbox_duplicates_total", "Deliveries not stored because they were duplicates.", "source"),
		superseded: counter("inbox_superseded_total", "Deliveries that a newer one of their burst ended when it was stored.", "source"),
		refused:    counter("inbox_refused_total", "Puts that failed.", "source"),
		putTime:    plainHistogram("inbox_put_duration_seconds", "Duration of Puts that stored a delivery.", receiveBuckets),
		commitTime: histogram("inbox_commit_duration_seconds", "Duration of transactions that store a batch of Puts.", receiveBuckets, "result"),
		batchPuts:  plainHistogram("inbox_batch_puts", "Puts in a committed batch.", countBuckets),
		batchSize:  plainHistogram("inbox_batch_bytes", "Headers and bodies in a committed batch.", sizeBuckets),
		swept:      plainCounter("inbox_swept_total", "Finished deliveries deleted."),
		repaired:   plainCounter("inbox_repaired_total", "Stuck ordering keys repaired. Each one is a fault."),
	}
}

func (m *Metrics) all() []prometheus.Collector {
	return []prometheus.Collector{
		m.rejected, m.received, m.receiveTime, m.bodySize,
		m.claims, m.lag, m.attempts, m.attemptTime, m.lost, m.overdue,
		m.stored, m.duplicates, m.superseded, m.refused, m.putTime, m.commitTime, m.batchPuts, m.batchSize, m.swept, m.repaired,
	}
}

// Describe is for a prometheus.Registry.
func (m *Metrics) Describe(ch chan<- *prometheus.Desc) {
	for _, c := range m.all() {
		c.Describe(ch)
	}
}

// Collect is for a prometheus.Registry.
func (m *Metrics) Collect(ch chan<- prometheus.Metric) {
	for _, c := range m.all() {
		c.Collect(ch)
	}
}
