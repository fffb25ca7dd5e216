package grafana_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/faultline-lab/faultline/observability/grafana"
	"github.com/faultline-lab/faultline/observability/grafana/internal/model"
)

// A check that cannot fail checks nothing: each case spoils one thing in a real dashboard.
func TestASpoiltDashboardIsFound(t *testing.T) {
	first := func(b *model.Dashboard) *model.Panel { return &b.Panels[1] } // the first one is a row
	for name, c := range map[string]struct {
		spoil func(*model.Dashboard)
		want  string
	}{
		"no title":          {func(b *model.Dashboard) { first(b).Title = "" }, "it has no title"},
		"no description":    {func(b *model.Dashboard) { first(b).Description = "" }, "it has no description"},
		"no unit":           {func(b *model.Dashboard) { first(b).FieldConfig.Defaults.Unit = "" }, "it has no unit"},
		"the same id twice": {func(b *model.Dashboard) { first(b).ID = b.Panels[2].ID }, "is taken, or none"},
		"the same title twice": {
			func(b *model.Dashboard) { first(b).Title = b.Panels[2].Title }, "two panels are called",
		},
		"a fixed data source in a panel": {
			func(b *model.Dashboard) { first(b).Datasource.UID = "PBFA97CFB590B2093" }, "its data source is not chosen by a variable",
		},
		"a fixed data source in a query": {
			func(b *model.Dashboard) { first(b).Targets[0].Datasource.UID = "PBFA97CFB590B2093" }, "asks another data source",
		},
		"a provisioned data source in a link": {
			func(b *model.Dashboard) { b.Links[0].URL = "/explore?datasource=faultline-loki" }, "only provisioning may know",
		},
		"a fixed data source of events": {
			func(b *model.Dashboard) { b.Annotations.List[0].Datasource.UID = "grafana" }, "events",
		},
		"a panel on another": {func(b *model.Dashboard) { first(b).GridPos.X += 2 }, "it lies on"},
		"a panel beside the grid": {
			func(b *model.Dashboard) { first(b).GridPos = model.GridPos{X: 20, Y: 999, W: 8, H: 4} }, "not within 24 columns",
		},
		"no query":  {func(b *model.Dashboard) { first(b).Targets = nil }, "it asks nothing"},
		"no legend": {func(b *model.Dashboard) { first(b).Targets[0].LegendFormat = "" }, "has no legend"},
		"a label that is gone": {
			func(b *model.Dashboard) { first(b).Targets[0].LegendFormat = "{{customer}}" }, `shows "customer"`,
		},
		"an undefined variable": {
			func(b *model.Dashboard) { first(b).Description = "of $region" }, `"region" is used and not defined`,
		},
		"an unused variable": {
			func(b *model.Dashboard) {
				v := b.Templating.List[0]
				v.Name = "region"
				b.Templating.List = append(b.Templating.List, v)
			}, `"region" is defined and not used`,
		},
		"PromQL that does not parse": {
			func(b *model.Dashboard) { first(b).Targets[0].Expr = "sum(rate(up[15s])" }, "query A",
		},
		"a counter without its rate": {
			func(b *model.Dashboard) { first(b).Targets[0].Expr = "sum(orders_placements_total)" }, "without rate() or increase()",
		},
		"LogQL that does not close": {
			func(b *model.Dashboard) {
				for i := range b.Panels {
					if b.Panels[i].Type == "logs" {
						b.Panels[i].Targets[0].Expr = `{service_name="orders"`
					}
				}
			}, "does not close what it opens",
		},
		"an old schema": {func(b *model.Dashboard) { b.SchemaVersion = 16 }, "schemaVersion"},
		"exemplars of what has none": {
			func(b *model.Dashboard) { first(b).Targets[0].Exemplar = true }, "only a histogram's buckets have",
		},
		"a histogram without exemplars": {
			func(b *model.Dashboard) {
				for i := range b.Panels {
					for j := range b.Panels[i].Targets {
						b.Panels[i].Targets[j].Exemplar = false
					}
				}
			}, "none of its exemplars",
		},
	} {
		t.Run(name, func(t *testing.T) {
			var board model.Dashboard
			if err := json.Unmarshal(grafana.Dashboards()[0].JSON, &board); err != nil {
				t.Fatal(err)
			}
			c.spoil(&board)
			data, err := json.Marshal(board)
			if err != nil {
				t.Fatal(err)
			}
			found := strings.Join(breaches(t, data), "\n")
			if !strings.Contains(found, c.want) {
				t.Errorf("it was not found; found instead: %s", found)
			}
		})
	}
}

func TestAPropertyThatTheModelDoesNotKnowIsFound(t *testing.T) {
	spoilt := strings.Replace(string(grafana.Dashboards()[0].JSON), `"editable"`, `"gnetId": 1860, "editable"`, 1)
	if found := breaches(t, []byte(spoilt)); len(found) != 1 || !strings.Contains(found[0], "gnetId") {
		t.Errorf("found %q", found)
	}
}
