package prom

import _ "embed"

//go:embed dashboard.json
var dashboard string

// Dashboard returns the JSON of a dashboard for Grafana 10 or newer: import it, and choose
// the Prometheus data source. It is the file dashboard.json of this folder.
func Dashboard() string { return dashboard }
