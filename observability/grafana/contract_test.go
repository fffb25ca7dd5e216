package grafana_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/faultline-lab/faultline/observability/contract"
	"github.com/faultline-lab/faultline/observability/grafana"
	"github.com/faultline-lab/faultline/observability/grafana/internal/definition"
	"github.com/faultline-lab/faultline/observability/grafana/internal/model"
)

// asked lists every PromQL of a dashboard: of its panels, its events and its variables.
func asked(t *testing.T, d grafana.Dashboard) []string {
	t.Helper()
	var board model.Dashboard
	if err := json.Unmarshal(d.JSON, &board); err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, p := range d.Panels() {
		for _, q := range p.Queries {
			if q.Datasource == grafana.Prometheus {
				all = append(all, q.Expr)
			}
		}
	}
	for _, a := range board.Annotations.List {
		if a.Datasource.Type == grafana.Prometheus {
			all = append(all, a.Target.Expr)
		}
	}
	for _, v := range board.Templating.List {
		if match := labelValues.FindStringSubmatch(v.Definition); match != nil {
			// What label_values wants must be a label of the metric, so it is asked for as one.
			wanted := v.Definition[strings.LastIndex(v.Definition, ",")+1 : len(v.Definition)-1]
			all = append(all, reference.ReplaceAllString("count by ("+wanted+") ("+match[1]+")", ".+"))
		}
	}
	return all
}

func TestEveryMetricOfADashboardIsInTheTelemetryContract(t *testing.T) {
	telemetry, err := contract.Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range grafana.Dashboards() {
		for _, expr := range asked(t, d) {
			if err := telemetry.CheckPromQL(expr, definition.Recorded()...); err != nil {
				t.Errorf("%s: %v", d.File, err)
			}
		}
	}
}

func TestEveryRecordingRuleThatIsListedIsAskedFor(t *testing.T) {
	var all []string
	for _, d := range grafana.Dashboards() {
		all = append(all, asked(t, d)...)
	}
	for _, name := range definition.Recorded() {
		if !slices.ContainsFunc(all, func(expr string) bool { return strings.Contains(expr, name) }) {
			t.Errorf("no dashboard reads %s", name)
		}
	}
}
