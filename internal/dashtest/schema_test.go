package dashtest

import (
	"strings"
	"testing"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	"github.com/grafana/grafana-foundation-sdk/go/stat"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"

	"github.com/hookhouse/hookhouse/webhook/prom"
)

// Each field of the dashboard, of its panels' options and of its queries is one that
// Grafana's schema has, with a value that it allows.
func TestTheDashboardIsOfGrafanasSchema(t *testing.T) {
	cog.NewRuntime().RegisterDataqueryVariant(prometheus.VariantConfig())
	cog.NewRuntime().RegisterPanelcfgVariant(stat.VariantConfig())
	cog.NewRuntime().RegisterPanelcfgVariant(timeseries.VariantConfig())
	d, err := load(prom.Dashboard())
	if err != nil {
		t.Fatal(err)
	}
	if len(d.Panels) < 20 {
		t.Errorf("%d panels and rows were read", len(d.Panels))
	}
	for name, change := range map[string][2]string{
		"an unknown field":          {`"graphTooltip"`, `"tooltip"`},
		"a value of the wrong kind": {`"editable": true`, `"editable": "yes"`},
		"an unknown option":         {`"displayMode": "list"`, `"displayMode": "list", "color": "red"`},
		"an unknown field of query": {`"legendFormat"`, `"legend"`},
	} {
		broken := strings.Replace(prom.Dashboard(), change[0], change[1], 1)
		if _, err := load(broken); err == nil || broken == prom.Dashboard() {
			t.Errorf("a dashboard with %s is accepted", name)
		}
	}
}

// load reads a dashboard strictly and validates it. The second version of the schema is for
// resources of Grafana 12; what one imports, in any version, is of the first.
//
//lint:ignore SA1019 of the first version
func load(text string) (d dashboard.Dashboard, err error) {
	if err := nilIfEmpty(d.UnmarshalJSONStrict([]byte(text))); err != nil {
		return d, err
	}
	return d, nilIfEmpty(d.Validate())
}

// nilIfEmpty returns nil for a list of no errors.
func nilIfEmpty(err error) error {
	if list, ok := err.(cog.BuildErrors); ok && len(list) == 0 {
		return nil
	}
	return err
}
