package main

import (
	"fmt"
	"net/http"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/prom"
	"github.com/hookhouse/hookhouse/webhook/publish"
)

// probes returns what -admin-addr serves: whether the process can do its work, and metrics of
// what is stored. A process that does not send has no workers.
func probes(store probe, publisher *publish.Publisher, workers []*webhook.Worker) *http.ServeMux {
	metrics := prom.New(publisher.Types()...)
	byName := make(map[string]*webhook.Worker)
	for i, worker := range workers {
		byName[fmt.Sprintf("publisher-%d", i+1)] = worker
	}
	mux := http.NewServeMux()
	mux.Handle("GET /healthz", webhook.HealthHandler(store, workers...))
	mux.Handle("GET /metrics", prom.Handler(metrics.Stats(store), prom.Health(byName)))
	return mux
}
