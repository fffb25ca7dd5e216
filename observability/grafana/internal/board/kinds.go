package board

import (
	"github.com/faultline-lab/faultline/observability/grafana/internal/model"
)

// object is a part of the JSON that no type of ours needs to know.
type object = map[string]any

func line() object {
	return object{
		"drawStyle": "line", "lineInterpolation": "linear", "lineWidth": 1, "fillOpacity": 8, "gradientMode": "none",
		"showPoints": "never", "spanNulls": false, "axisPlacement": "auto",
		"stacking":          object{"mode": "none", "group": "A"},
		"scaleDistribution": object{"type": "linear"},
		"thresholdsStyle":   object{"mode": "off"},
		"hideFrom":          object{"legend": false, "tooltip": false, "viz": false},
	}
}

// Graph is a line for each series.
func Graph(title, description, unit string, queries ...Query) *Panel {
	p := newPanel("timeseries", title, description, unit, queries)
	p.panel.FieldConfig.Defaults.Custom = line()
	p.panel.Options = object{
		"legend":  object{"displayMode": "list", "placement": "bottom", "showLegend": true, "calcs": []string{}},
		"tooltip": object{"mode": "multi", "sort": "desc"},
	}
	return p
}

// Stat is one number, the last one, over its own small graph.
func Stat(title, description, unit string, query Query) *Panel {
	p := newPanel("stat", title, description, unit, []Query{query})
	p.panel.FieldConfig.Defaults.Color = &model.Color{Mode: "thresholds"}
	p.panel.FieldConfig.Defaults.Thresholds = &model.Thresholds{Mode: "absolute", Steps: []model.Step{{Color: "green"}}}
	p.panel.Options = object{
		"colorMode": "value", "graphMode": "area", "justifyMode": "auto", "orientation": "auto", "textMode": "auto",
		"reduceOptions": object{"calcs": []string{"lastNotNull"}, "fields": "", "values": false},
	}
	return p
}

// Heatmap shows how the durations of a histogram are spread over time.
func Heatmap(title, description string, query Query) *Panel {
	p := newPanel("heatmap", title, description, Seconds, []Query{query})
	p.panel.Targets[0].Format = "heatmap"
	p.panel.FieldConfig.Defaults.Color = nil
	p.panel.FieldConfig.Defaults.Custom = object{
		"hideFrom":          object{"legend": false, "tooltip": false, "viz": false},
		"scaleDistribution": object{"type": "linear"},
	}
	p.panel.Options = object{
		"calculate": false, "cellGap": 1,
		"color": object{
			"mode": "scheme", "scheme": "Oranges", "steps": 64, "exponent": 0.5, "fill": "dark-orange",
			"reverse": false, "scale": "exponential",
		},
		"exemplars":    object{"color": "rgba(255,0,255,0.7)"},
		"filterValues": object{"le": 1e-9},
		"legend":       object{"show": true},
		"rowsFrame":    object{"layout": "auto"},
		"tooltip":      object{"mode": "single", "show": true, "yHistogram": false},
		"yAxis":        object{"axisPlacement": "left", "reverse": false, "unit": Seconds},
	}
	return p
}

// State is a band for each series whose colour says what it is: 0 or 1.
func State(title, description string, off, on string, query Query) *Panel {
	p := newPanel("state-timeline", title, description, Count, []Query{query})
	defaults := &p.panel.FieldConfig.Defaults
	defaults.Color = &model.Color{Mode: "thresholds"}
	defaults.Custom = object{"fillOpacity": 70, "lineWidth": 0}
	defaults.Mappings = []model.Mapping{{Type: "value", Options: map[string]model.MappingResult{
		"0": {Text: off, Color: "green", Index: 0}, "1": {Text: on, Color: "red", Index: 1},
	}}}
	p.steps("green", "red", 1)
	p.panel.Options = object{
		"showValue": "auto", "rowHeight": 0.9, "mergeValues": true, "alignValue": "left",
		"legend":  object{"displayMode": "list", "placement": "bottom", "showLegend": true},
		"tooltip": object{"mode": "single", "sort": "none"},
	}
	return p
}

// Logs are lines of Loki, the newest first.
func Logs(title, description, expr string) *Panel {
	source := loki
	return &Panel{panel: model.Panel{
		Type: "logs", Title: title, Description: description, Datasource: &source,
		Options: object{
			"showTime": true, "showLabels": false, "showCommonLabels": false, "wrapLogMessage": true,
			"prettifyLogMessage": false, "enableLogDetails": true, "dedupStrategy": "none", "sortOrder": "Descending",
		},
		Targets: []model.Target{{
			RefID: "A", Datasource: source, EditorMode: "code", Expr: expr, QueryType: "range", Range: true, MaxLines: 200,
		}},
	}}
}

// Column is a query whose answers become one column of a table.
type Column struct {
	Title, Unit, Expr string
}

// Table joins the columns by the labels that their answers have in common, which come first, in the order given.
func Table(title, description string, labels []Column, columns ...Column) *Panel {
	p := newPanel("table", title, description, Count, nil)
	p.panel.FieldConfig.Defaults.Color = nil
	rename, index := object{}, object{}
	for i, label := range labels {
		rename[label.Expr], index[label.Expr] = label.Title, i
	}
	for i, column := range columns {
		ref := string(rune('A' + i))
		value := "Value"
		if len(columns) > 1 {
			value = "Value #" + ref
		}
		rename[value], index[value] = column.Title, len(labels)+i
		p.panel.Targets = append(p.panel.Targets, model.Target{
			RefID: ref, Datasource: prometheus, EditorMode: "code", Expr: column.Expr, Instant: true, Format: "table",
		})
		p.panel.FieldConfig.Overrides = append(p.panel.FieldConfig.Overrides, model.Override{
			Matcher:    model.Matcher{ID: "byName", Options: column.Title},
			Properties: []model.Property{{ID: "unit", Value: column.Unit}, {ID: "decimals", Value: 2}},
		})
	}
	p.panel.Options = object{"showHeader": true, "cellHeight": "sm"}
	p.panel.Transformations = []model.Transformation{
		{ID: "merge", Options: object{}},
		{ID: "organize", Options: object{
			"excludeByName": object{"Time": true}, "renameByName": rename, "indexByName": index,
		}},
	}
	return p
}
