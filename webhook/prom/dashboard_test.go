package prom_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/webhook/prom"
)

// A panel is what the tests read of a panel of the dashboard.
type panel struct {
	ID         int
	Title      string
	Type       string
	GridPos    struct{ H, W, X, Y int }
	Datasource struct{ Type, UID string }
	Targets    []struct {
		Expr, LegendFormat, RefID string
		Datasource                struct{ Type, UID string }
	}
}

// A board is what the tests read of the dashboard.
type board struct {
	Title      string
	Panels     []panel
	Templating struct {
		List []struct {
			Name, Type, Definition string
			Query                  any
		}
	}
}

func readBoard(t *testing.T) (b board) {
	t.Helper()
	if err := json.Unmarshal([]byte(prom.Dashboard()), &b); err != nil {
		t.Fatal(err)
	}
	if len(b.Panels) < 20 {
		t.Fatalf("%d panels", len(b.Panels))
	}
	return b
}

// Each metric of an expression exists, and each metric is in an expression. Labels are
// those that the metric has.
func TestTheDashboardHasTheMetricsThatExist(t *testing.T) {
	exists := make(map[string][]string) // series, with their labels
	shown := make(map[string]bool)
	families := make(map[string]string) // by series
	for _, line := range metricsOf(t, fullRegistry(t)) {
		fields := strings.Fields(line)
		name, kind, labels := fields[0], fields[1], append(fields[2:], "job", "instance")
		series := []string{name}
		if kind == "histogram" {
			series = []string{name + "_sum", name + "_count", name + "_bucket"}
		}
		for _, s := range series {
			exists[s], families[s] = labels, name
		}
		shown[name] = false
	}
	b := readBoard(t)
	var exprs []string
	for _, p := range b.Panels {
		for _, target := range p.Targets {
			exprs = append(exprs, target.Expr)
		}
	}
	for _, v := range b.Templating.List {
		exprs = append(exprs, v.Definition)
	}
	metric := regexp.MustCompile(`(hookhouse_\w+)\b(?:\{([^}]*)\})?`)
	label := regexp.MustCompile(`(\w+) *=~?`)
	for _, expr := range exprs {
		for _, m := range metric.FindAllStringSubmatch(strings.ReplaceAll(expr, `"hookhouse_(received|claims)_total"`, ""), -1) {
			labels, ok := exists[m[1]]
			if !ok {
				t.Errorf("no metric %s, which %q reads", m[1], expr)
				continue
			}
			shown[families[m[1]]] = true
			for _, l := range label.FindAllStringSubmatch(m[2], -1) {
				if !slices.Contains(labels, l[1]) {
					t.Errorf("%s has no label %s, which %q selects by", m[1], l[1], expr)
				}
			}
		}
	}
	for name, ok := range shown {
		if !ok {
			t.Errorf("%s is in no panel", name)
		}
	}
}

// The panels have what Grafana needs, and do not lie on each other.
func TestThePanelsAreComplete(t *testing.T) {
	b := readBoard(t)
	ids, cells := make(map[int]bool), make(map[string]string)
	for _, p := range b.Panels {
		if p.ID == 0 || ids[p.ID] {
			t.Errorf("panel %q has the id %d, which is none or not its own", p.Title, p.ID)
		}
		ids[p.ID] = true
		if p.Title == "" || p.GridPos.W == 0 || p.GridPos.H == 0 || p.GridPos.X+p.GridPos.W > 24 {
			t.Errorf("panel %d %q is not placed: %+v", p.ID, p.Title, p.GridPos)
		}
		for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
			for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
				cell := fmt.Sprintf("%d,%d", x, y)
				if cells[cell] != "" {
					t.Fatalf("panels %q and %q are both at %s", p.Title, cells[cell], cell)
				}
				cells[cell] = p.Title
			}
		}
		if p.Type == "row" {
			continue
		}
		if len(p.Targets) == 0 || p.Datasource.UID != "${datasource}" {
			t.Errorf("panel %q has no targets, or another data source: %q", p.Title, p.Datasource.UID)
		}
		refs := make(map[string]bool)
		for _, target := range p.Targets {
			if refs[target.RefID] || target.Expr == "" || target.LegendFormat == "" || target.Datasource.UID != "${datasource}" {
				t.Errorf("panel %q has a target that is not complete: %+v", p.Title, target)
			}
			refs[target.RefID] = true
		}
	}
	variables := make(map[string]string)
	for _, v := range b.Templating.List {
		variables[v.Name] = v.Type
	}
	if variables["datasource"] != "datasource" || variables["job"] != "query" || variables["type"] != "query" {
		t.Errorf("variables %v", variables)
	}
}
