package board

import (
	"github.com/faultline-lab/faultline/observability/grafana/internal/model"
)

// Units that the dashboards use, by Grafana's ids.
const (
	Seconds     = "s"
	PerSecond   = "ops"
	Requests    = "reqps"
	Share       = "percentunit"
	Count       = "short"
	Bytes       = "bytes"
	BytesPerSec = "Bps"
	Cores       = "none"
)

// Panel is a panel in the making; its methods change it and return it.
type Panel struct {
	panel model.Panel
	width int
}

// Wide gives a panel its width in columns, of 24.
func (p *Panel) Wide(columns int) *Panel {
	p.width = columns
	return p
}

// Range bounds the axis.
func (p *Panel) Range(low, high float64) *Panel {
	p.panel.FieldConfig.Defaults.Min, p.panel.FieldConfig.Defaults.Max = &low, &high
	return p
}

// FromZero begins the axis at zero, so that a small wobble does not look like a cliff.
func (p *Panel) FromZero() *Panel {
	low := 0.0
	p.panel.FieldConfig.Defaults.Min = &low
	return p
}

// Stacked draws the series on top of each other: they are parts of a whole.
func (p *Panel) Stacked() *Panel {
	custom := line()
	custom["stacking"] = object{"mode": "normal", "group": "A"}
	custom["fillOpacity"] = 40
	p.panel.FieldConfig.Defaults.Custom = custom
	return p
}

// Bad colours values from here upwards; on a graph it is a dashed line.
func (p *Panel) Bad(from float64) *Panel { return p.steps("green", "red", from) }

// BadBelow colours values under here.
func (p *Panel) BadBelow(from float64) *Panel { return p.steps("red", "green", from) }

func (p *Panel) steps(below, above string, from float64) *Panel {
	defaults := &p.panel.FieldConfig.Defaults
	defaults.Thresholds = &model.Thresholds{
		Mode: "absolute", Steps: []model.Step{{Color: below}, {Color: above, Value: &from}},
	}
	if custom, graph := defaults.Custom.(object); graph && p.panel.Type == "timeseries" {
		custom["thresholdsStyle"] = object{"mode": "dashed"}
	}
	return p
}

// LogsOf leads from a series to the logs of the workload that a label of it names.
func (p *Panel) LogsOf(label string) *Panel {
	return p.link("Logs of ${__field.labels."+label+"}", exploreLogs(`{service_name="${__field.labels.`+label+`}"}`))
}

// PoolOf leads from a series to the pools of the workload that its label job names.
func (p *Panel) PoolOf() *Panel {
	return p.link("Pools of ${__field.labels.job}, if it has any", "/d/faultline-pool?var-workload=${__field.labels.job}&${__url_time_range}")
}

func (p *Panel) link(title, url string) *Panel {
	defaults := &p.panel.FieldConfig.Defaults
	defaults.Links = append(defaults.Links, model.DataLink{Title: title, URL: url})
	return p
}

// Query is a question to Prometheus and the name of its answers.
type Query struct {
	expr, legend string
	exemplars    bool
}

// Ask is a query; the legend's {{label}} are filled in.
func Ask(expr, legend string) Query { return Query{expr: expr, legend: legend} }

// Traced is a query on a histogram whose exemplars are drawn as points that lead to traces.
func Traced(expr, legend string) Query { return Query{expr: expr, legend: legend, exemplars: true} }

func targets(queries []Query) []model.Target {
	all := make([]model.Target, len(queries))
	for i, q := range queries {
		all[i] = model.Target{
			RefID: string(rune('A' + i)), Datasource: prometheus, EditorMode: "code",
			Expr: q.expr, LegendFormat: q.legend, Range: true, Exemplar: q.exemplars,
		}
	}
	return all
}

func newPanel(kind, title, description, unit string, queries []Query) *Panel {
	source := prometheus
	return &Panel{panel: model.Panel{
		Type: kind, Title: title, Description: description, Datasource: &source,
		FieldConfig: &model.FieldConfig{
			Defaults:  model.FieldDefaults{Unit: unit, Color: &model.Color{Mode: "palette-classic"}},
			Overrides: []model.Override{},
		},
		Targets: targets(queries),
	}}
}
