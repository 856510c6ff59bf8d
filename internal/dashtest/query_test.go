package dashtest

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/promql"

	"github.com/hookhouse/hookhouse/webhook/prom"
)

// A query is one of a panel.
type query struct{ Panel, Expr, Legend string }

func queries(t *testing.T) (all []query) {
	t.Helper()
	var board struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr, LegendFormat string }
		}
	}
	if err := json.Unmarshal([]byte(prom.Dashboard()), &board); err != nil {
		t.Fatal(err)
	}
	for _, p := range board.Panels {
		for _, target := range p.Targets {
			all = append(all, query{p.Title, target.Expr, target.LegendFormat})
		}
	}
	return all
}

// Each query of the dashboard is one that Prometheus can run, and after a run of a service
// it has a number to show.
func TestEachPanelShowsNumbersAfterARun(t *testing.T) {
	m, s := &memory{series: make(map[string]*series)}, newService(t)
	at := time.Now()
	for range 4 {
		s.work(t)
		m.scrape(t, s.registry, at)
		at = at.Add(30 * time.Second)
	}
	engine := promql.NewEngine(promql.EngineOpts{MaxSamples: 1e6, Timeout: time.Minute})
	variables := strings.NewReplacer("$job", ".*", "$type", ".*", "$__rate_interval", "2m", "$__range", "10m")
	all := queries(t)
	if len(all) < 40 {
		t.Errorf("%d queries", len(all))
	}
	for _, q := range all {
		run, err := engine.NewInstantQuery(t.Context(), m.queryable(), nil, variables.Replace(q.Expr), at)
		if err != nil {
			t.Errorf("%s: %q: %v", q.Panel, q.Expr, err)
			continue
		}
		result := run.Exec(t.Context())
		if result.Err != nil {
			t.Errorf("%s: %q: %v", q.Panel, q.Expr, result.Err)
			continue
		}
		vector, err := result.Vector()
		if err != nil || len(vector) == 0 {
			t.Errorf("%s: %q shows nothing: %v", q.Panel, q.Expr, err)
		}
		for _, sample := range vector {
			if math.IsNaN(sample.F) || math.IsInf(sample.F, 0) || sample.F < 0 {
				t.Errorf("%s: %q shows %v", q.Panel, q.Expr, sample)
			}
			for _, name := range legendLabels(q.Legend) {
				if sample.Metric.Get(name) == "" {
					t.Errorf("%s: the legend %q has %s, and %q returns %v", q.Panel, q.Legend, name, q.Expr, sample.Metric)
				}
			}
		}
		run.Close()
	}
}

// legendLabels returns the labels of a legend such as "{{instance}} {{worker}} waits".
func legendLabels(legend string) (names []string) {
	for _, part := range strings.Split(legend, "{{")[1:] {
		name, _, _ := strings.Cut(part, "}}")
		names = append(names, strings.TrimSpace(name))
	}
	return names
}
