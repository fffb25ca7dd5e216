package grafana

import (
	"embed"
	"encoding/json"
	"fmt"

	"github.com/faultline-lab/faultline/observability/grafana/internal/model"
)

//go:embed dashboards/*.json
var files embed.FS

// Dashboard is one dashboard as it is written.
type Dashboard struct {
	UID, Title string
	File       string // its name in the folder dashboards, for example overview.json
	JSON       []byte
}

// Panel is what one panel of a dashboard asks.
type Panel struct {
	Dashboard, Title string
	Queries          []Query
}

// Data sources by type, as Query names them.
const (
	Prometheus = "prometheus"
	Loki       = "loki"
	Jaeger     = "jaeger"
)

// Query is one question of a panel. Variables in Expr have values, so that it can be sent as it is.
type Query struct {
	RefID      string
	Datasource string // Prometheus, Loki or Jaeger
	Expr       string
	Instant    bool // asked for the last moment alone; else for the whole time that is shown
}

// Dashboards lists the dashboards, the one to begin with first.
func Dashboards() []Dashboard {
	names := []string{"overview.json", "pool.json", "slo.json", "capacity.json", "healer.json"}
	all := make([]Dashboard, len(names))
	for i, name := range names {
		data, board := read(name)
		all[i] = Dashboard{UID: board.UID, Title: board.Title, File: name, JSON: data}
	}
	return all
}

// read cannot fail on what is embedded: a test reads all of it.
func read(name string) ([]byte, model.Dashboard) {
	data, err := files.ReadFile("dashboards/" + name)
	if err != nil {
		panic(fmt.Sprintf("grafana: %v", err))
	}
	var board model.Dashboard
	if err := json.Unmarshal(data, &board); err != nil {
		panic(fmt.Sprintf("grafana: %s: %v", name, err))
	}
	return data, board
}

// Panels lists the panels that ask something, in the order of their ids.
func (d Dashboard) Panels() []Panel {
	var board model.Dashboard
	if err := json.Unmarshal(d.JSON, &board); err != nil {
		panic(fmt.Sprintf("grafana: %s: %v", d.File, err))
	}
	values := variables(board)
	var panels []Panel
	for _, p := range board.Panels {
		if len(p.Targets) == 0 {
			continue
		}
		panel := Panel{Dashboard: d.Title, Title: p.Title}
		for _, t := range p.Targets {
			panel.Queries = append(panel.Queries, Query{
				RefID: t.RefID, Datasource: t.Datasource.Type, Expr: interpolate(t.Expr, values), Instant: t.Instant,
			})
		}
		panels = append(panels, panel)
	}
	return panels
}
