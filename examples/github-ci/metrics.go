package main

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/hookhouse/hookhouse/examples/github-ci/builds"
)

// buildMetrics are the metrics of builds. The others are those of package prom.
type buildMetrics struct{ seconds *prometheus.HistogramVec }

func newBuildMetrics() buildMetrics {
	return buildMetrics{prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "github_ci_build_seconds", Help: "Duration of a finished build, by its result.",
		Buckets: prometheus.ExponentialBuckets(1, 3, 9),
	}, []string{"repository", "result"})}
}

// observe records a finished build. It is builder.onBuilt.
func (m buildMetrics) observe(b builds.Build, took time.Duration) {
	m.seconds.WithLabelValues(b.Repository, b.State).Observe(took.Seconds())
}
