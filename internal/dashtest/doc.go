// Package dashtest tests the dashboard of webhook/prom with what Prometheus and Grafana are
// made of: Grafana's schema of a dashboard, and Prometheus's storage and query engine with
// the metrics of a real run. It is a module of its own, so that webhook/prom does not depend
// on them.
package dashtest
