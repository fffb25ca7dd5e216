package board

import (
	"github.com/faultline-lab/faultline/observability/grafana/internal/model"
)

// schemaVersion is that of Grafana 11; newer ones migrate it when they load it.
const schemaVersion = 39

// Tag is on all our dashboards, and is how they find each other.
const Tag = "faultline"

// columns is the width of Grafana's grid.
const columns = 24

// The data sources, by the variables that choose them.
var (
	prometheus = model.Datasource{Type: "prometheus", UID: "${datasource}"}
	loki       = model.Datasource{Type: "loki", UID: "${loki}"}
)

// Board is a dashboard in the making.
type Board struct {
	dashboard model.Dashboard
	nextID, y int
}

// New begins a dashboard that knows its data sources, its siblings, and the events that are drawn over every graph.
func New(uid, title, description string) *Board {
	return &Board{nextID: 1, dashboard: model.Dashboard{
		UID: uid, Title: title, Description: description,
		Tags:          []string{Tag},
		SchemaVersion: schemaVersion,
		Editable:      true,
		GraphTooltip:  1, // one crosshair over all graphs
		Refresh:       "5s",
		Time:          model.Time{From: "now-15m", To: "now"},
		Timezone:      "browser",
		Links: []model.Link{{
			Title: "Faultline", Type: "dashboards", Icon: "dashboard", Tags: []string{Tag}, KeepTime: true,
		}},
		Templating: model.Templating{List: []model.Variable{
			chosenSource("datasource", "Prometheus", "prometheus"),
			chosenSource("loki", "Loki", "loki"),
		}},
		Annotations: model.Annotations{List: events()},
	}}
}

func chosenSource(name, label, kind string) model.Variable {
	return model.Variable{Name: name, Label: label, Type: "datasource", Query: kind, Refresh: 1, Options: []string{}}
}

// Choice adds a variable whose values are those of a label, all of them at first.
func (b *Board) Choice(name, label, values string) *Board {
	source := prometheus
	b.dashboard.Templating.List = append(b.dashboard.Templating.List, model.Variable{
		Name: name, Label: label, Type: "query",
		Datasource: &source,
		Query:      model.VariableQuery{Query: values, RefID: "StandardVariableQuery"},
		Definition: values,
		Refresh:    2, // when the time changes
		Sort:       1,
		Multi:      true, IncludeAll: true, AllValue: ".+",
		Options: []string{},
		Current: model.Current{Text: "All", Value: "$__all"},
	})
	return b
}

// events are what happened, for every graph to be held against.
func events() []model.Annotation {
	return []model.Annotation{
		{
			Name: "Alerts", Datasource: prometheus, Enable: true, IconColor: "red",
			Target:      &model.AnnoTarget{Expr: `ALERTS{alertstate="firing"}`, RefID: "Anno"},
			TitleFormat: "{{alertname}}", TextFormat: "{{instance}} {{workload}}", TagKeys: "severity",
		},
		lines("Chaos", "purple", `{service_name="chaos"}`),
		lines("Healer", "blue", `{service_name="autoheal"} |= "incident moved" | line_format "{{.incident}}: {{.reason}}"`),
	}
}

func lines(name, color, expr string) model.Annotation {
	return model.Annotation{
		Name: name, Datasource: loki, Enable: true, IconColor: color, Expr: expr,
		Target: &model.AnnoTarget{Expr: expr, RefID: "Anno", QueryType: "range"},
	}
}

// Row adds a titled row of panels, as high as said. Panels without a width of their own share what the others leave.
func (b *Board) Row(title string, height int, panels ...*Panel) *Board {
	open, none := false, []model.Panel{}
	b.add(model.Panel{
		Type: "row", Title: title, Collapsed: &open, Panels: &none,
		GridPos: model.GridPos{Y: b.y, W: columns, H: 1},
	})
	b.y++
	left, unsized := columns, 0
	for _, p := range panels {
		left -= p.width
		if p.width == 0 {
			unsized++
		}
	}
	x := 0
	for _, p := range panels {
		width := p.width
		if width == 0 {
			width = left / unsized
		}
		p.panel.GridPos = model.GridPos{X: x, Y: b.y, W: width, H: height}
		b.add(p.panel)
		x += width
	}
	b.y += height
	return b
}

func (b *Board) add(p model.Panel) {
	p.ID = b.nextID
	b.nextID++
	b.dashboard.Panels = append(b.dashboard.Panels, p)
}

// Dashboard is what was built.
func (b *Board) Dashboard() model.Dashboard { return b.dashboard }
