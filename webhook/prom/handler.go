package prom

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Handler returns a handler for the metrics of the Collectors: those of this package and a
// program's own. It registers them in a registry of its own, together with the metrics of
// the Go runtime and of the process, and answers in the format that the request asks for,
// OpenMetrics with exemplars. It panics if Collectors have the same metric, or one that a
// registry refuses, as [prometheus.Registry.MustRegister] does.
func Handler(cs ...prometheus.Collector) http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(cs...)
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{Registry: registry, EnableOpenMetrics: true})
}
