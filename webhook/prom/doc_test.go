package prom_test

import (
	"go/doc/comment"
	"go/parser"
	"go/token"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/hookhouse/hookhouse/webhook/prom"
)

// metricsOf returns the metrics of a registry as the tables of the package's doc write
// them: name, kind and labels.
func metricsOf(t *testing.T, from prometheus.Gatherer) (lines []string) {
	t.Helper()
	families, err := from.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		var labels []string
		for _, l := range f.GetMetric()[0].GetLabel() {
			labels = append(labels, l.GetName())
		}
		slices.Sort(labels)
		lines = append(lines, f.GetName()+" "+strings.ToLower(f.GetType().String())+" "+strings.Join(labels, " "))
	}
	slices.Sort(lines)
	return lines
}

// The tables of the doc list each metric, with its kind and labels, and no other.
func TestTheDocListsEachMetric(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "doc.go", nil, parser.ParseComments|parser.PackageClauseOnly)
	if err != nil {
		t.Fatal(err)
	}
	row := regexp.MustCompile(`^(counter|gauge|histogram) +(hookhouse_\w+)(?:\{([a-z,]+)\})? {2,}\S`)
	var listed []string
	for _, block := range new(comment.Parser).Parse(file.Doc.Text()).Content {
		code, ok := block.(*comment.Code)
		if !ok || !strings.Contains(code.Text, "  hookhouse_") {
			continue
		}
		for line := range strings.Lines(code.Text) {
			m := row.FindStringSubmatch(line)
			if m == nil {
				t.Errorf("line %q is not a kind, a name with labels, and what it is", line)
				continue
			}
			labels := strings.Split(m[3], ",")
			slices.Sort(labels)
			listed = append(listed, m[2]+" "+m[1]+" "+strings.Join(labels, " "))
		}
	}
	slices.Sort(listed)
	if diff := cmp.Diff(listed, metricsOf(t, fullRegistry(t))); diff != "" {
		t.Errorf("metrics (-listed +registered):\n%s", diff)
	}
}

// Registering twice is an error of the registry, as for any Collector, and two Metrics are
// one too many.
func TestTheMetricsAreDescribed(t *testing.T) {
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(prom.New())
	if err := registry.Register(prom.New()); err == nil {
		t.Error("a second Metrics was registered beside the first")
	}
}
