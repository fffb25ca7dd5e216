package grafana_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/promql/parser"

	"github.com/faultline-lab/faultline/observability/grafana"
	"github.com/faultline-lab/faultline/observability/grafana/internal/model"
)

func TestTheDashboardsKeepGrafanasConventions(t *testing.T) {
	seen := map[string]string{}
	for _, d := range grafana.Dashboards() {
		for _, breach := range breaches(t, d.JSON) {
			t.Errorf("%s: %s", d.File, breach)
		}
		for _, name := range []string{d.UID, d.Title} {
			if other, taken := seen[name]; taken {
				t.Errorf("%s and %s are both called %q", other, d.File, name)
			}
			seen[name] = d.File
		}
	}
}

// breaches says where a dashboard's JSON does not keep to what Grafana and this house expect.
func breaches(t *testing.T, data []byte) []string {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields() // what the model does not know, nobody has thought about
	var board model.Dashboard
	if err := decoder.Decode(&board); err != nil {
		return []string{err.Error()}
	}
	found := ofBoard(board)
	found = append(found, ofVariables(board, string(data))...)
	ids, titles := map[int]bool{}, map[string]bool{}
	for i, p := range board.Panels {
		if p.ID <= 0 || ids[p.ID] {
			found = append(found, fmt.Sprintf("panel %q: id %d is taken, or none", p.Title, p.ID))
		}
		if titles[p.Type+p.Title] {
			found = append(found, fmt.Sprintf("two panels are called %q", p.Title))
		}
		ids[p.ID], titles[p.Type+p.Title] = true, true
		for _, breach := range slices.Concat(ofGrid(p, board.Panels[:i]), ofPanel(p)) {
			found = append(found, fmt.Sprintf("panel %q: %s", p.Title, breach))
		}
	}
	return append(found, ofQueries(grafana.Dashboard{File: "this", JSON: data})...)
}

func ofBoard(b model.Dashboard) []string {
	var found []string
	for name, value := range map[string]string{"uid": b.UID, "title": b.Title, "description": b.Description} {
		if value == "" {
			found = append(found, "it has no "+name)
		}
	}
	if len(b.UID) > 40 {
		found = append(found, "its uid is longer than 40 characters")
	}
	if b.SchemaVersion < 39 || b.SchemaVersion > 41 {
		found = append(found, fmt.Sprintf("its schemaVersion is %d; panels are written for 39 to 41", b.SchemaVersion))
	}
	if b.Refresh != "5s" || b.Time != (model.Time{From: "now-15m", To: "now"}) {
		found = append(found, "it does not show the last 15 minutes, every 5 s anew")
	}
	if len(b.Tags) == 0 || len(b.Links) == 0 || len(b.Annotations.List) == 0 {
		found = append(found, "it has no tags, no links to its siblings, or no events")
	}
	for _, a := range b.Annotations.List {
		if !byVariable(&a.Datasource) {
			found = append(found, fmt.Sprintf("events %q: their data source is not chosen by a variable", a.Name))
		}
		check := map[string]func(string) error{grafana.Prometheus: promQL, grafana.Loki: logQL}[a.Datasource.Type]
		if err := check(a.Target.Expr); err != nil {
			found = append(found, fmt.Sprintf("events %q: %v", a.Name, err))
		}
	}
	return found
}

var (
	labelValues = regexp.MustCompile(`^label_values\((.+), \w+\)$`)
	reference   = regexp.MustCompile(`\$\{?([a-zA-Z_]\w*)`)
)

func ofVariables(b model.Dashboard, text string) []string {
	var found []string
	defined := map[string]bool{}
	for _, v := range b.Templating.List {
		defined[v.Name] = true
		if v.Label == "" {
			found = append(found, fmt.Sprintf("variable %q has no label", v.Name))
		}
		if v.Type == "query" && !byVariable(v.Datasource) {
			found = append(found, fmt.Sprintf("variable %q: its data source is not chosen by a variable", v.Name))
		}
		if match := labelValues.FindStringSubmatch(v.Definition); v.Type == "query" {
			if match == nil {
				found = append(found, fmt.Sprintf("variable %q does not ask for a label's values: %q", v.Name, v.Definition))
			} else if _, err := parser.ParseExpr(match[1]); err != nil {
				found = append(found, fmt.Sprintf("variable %q: %v", v.Name, err))
			}
		}
	}
	used := map[string]bool{}
	for _, match := range reference.FindAllStringSubmatch(text, -1) {
		used[match[1]] = true
	}
	for name := range used {
		if !defined[name] && !strings.HasPrefix(name, "__") {
			found = append(found, fmt.Sprintf("variable %q is used and not defined", name))
		}
	}
	for name := range defined {
		if !used[name] {
			found = append(found, fmt.Sprintf("variable %q is defined and not used", name))
		}
	}
	for _, uid := range []string{"faultline-prometheus", "faultline-loki", "faultline-jaeger"} {
		if strings.Contains(text, uid) {
			found = append(found, "the data source "+uid+" stands in it, which only provisioning may know")
		}
	}
	return found
}

func byVariable(d *model.Datasource) bool {
	return d != nil && (*d == model.Datasource{Type: "prometheus", UID: "${datasource}"} || *d == model.Datasource{Type: "loki", UID: "${loki}"})
}

func ofGrid(p model.Panel, before []model.Panel) []string {
	var found []string
	g := p.GridPos
	if g.X < 0 || g.Y < 0 || g.W < 1 || g.H < 1 || g.X+g.W > 24 {
		found = append(found, fmt.Sprintf("%+v is not within 24 columns", g))
	}
	for _, other := range before {
		o := other.GridPos
		if g.X < o.X+o.W && o.X < g.X+g.W && g.Y < o.Y+o.H && o.Y < g.Y+g.H {
			found = append(found, fmt.Sprintf("it lies on %q", other.Title))
		}
	}
	return found
}

func ofPanel(p model.Panel) []string {
	var found []string
	if p.Title == "" {
		found = append(found, "it has no title")
	}
	if p.Type == "row" {
		return found
	}
	if p.Description == "" {
		found = append(found, "it has no description")
	}
	if p.Type != "logs" && (p.FieldConfig == nil || p.FieldConfig.Defaults.Unit == "") {
		found = append(found, "it has no unit")
	}
	if !byVariable(p.Datasource) {
		found = append(found, "its data source is not chosen by a variable")
	}
	if len(p.Targets) == 0 {
		found = append(found, "it asks nothing")
	}
	refs := map[string]bool{}
	for _, target := range p.Targets {
		if refs[target.RefID] || target.RefID == "" {
			found = append(found, fmt.Sprintf("query id %q is taken, or none", target.RefID))
		}
		refs[target.RefID] = true
		if target.Exemplar && !strings.Contains(target.Expr, "_bucket") {
			found = append(found, target.RefID+" wants exemplars, which only a histogram's buckets have")
		}
		found = append(found, ofTarget(p, target)...)
	}
	graph := p.Type == "timeseries" || p.Type == "heatmap"
	if graph && strings.Contains(p.Targets[0].Expr, "histogram_quantile") && !p.Targets[0].Exemplar {
		found = append(found, "it shows a histogram and none of its exemplars")
	}
	return found
}

var label = regexp.MustCompile(`\{\{\s*(\w+)\s*\}\}`)

func ofTarget(p model.Panel, target model.Target) []string {
	var found []string
	if target.Datasource != *p.Datasource {
		found = append(found, target.RefID+" asks another data source than the panel says")
	}
	if target.Range == target.Instant {
		found = append(found, target.RefID+" is neither for one moment nor for all of the time shown, or both")
	}
	if target.LegendFormat == "" && p.Type != "table" && p.Type != "logs" {
		found = append(found, target.RefID+" has no legend")
	}
	for _, match := range label.FindAllStringSubmatch(target.LegendFormat, -1) {
		if !strings.Contains(target.Expr, match[1]) {
			found = append(found, fmt.Sprintf("%s: its legend shows %q, which the query does not keep", target.RefID, match[1]))
		}
	}
	return found
}

func ofQueries(d grafana.Dashboard) []string {
	var found []string
	for _, p := range d.Panels() {
		for _, q := range p.Queries {
			var err error
			switch q.Datasource {
			case grafana.Prometheus:
				err = promQL(q.Expr)
			case grafana.Loki:
				err = logQL(q.Expr)
			default:
				err = fmt.Errorf("nobody here can read a question to %q", q.Datasource)
			}
			if err != nil {
				found = append(found, fmt.Sprintf("panel %q, query %s: %v", p.Title, q.RefID, err))
			}
		}
	}
	return found
}

// promQL reads an expression, and wants a counter's value to be seen only through its rate: the value itself says when its
// program was last restarted, and little else. A histogram's sum over its count is an exception: the mean since then.
func promQL(expr string) error {
	parsed, err := parser.ParseExpr(expr)
	if err != nil {
		return err
	}
	parser.Inspect(parsed, func(node parser.Node, path []parser.Node) error {
		selector, ok := node.(*parser.VectorSelector)
		if !ok || err != nil || !strings.HasSuffix(selector.Name, "_total") && !strings.HasSuffix(selector.Name, "_bucket") {
			return nil
		}
		for _, above := range path {
			if call, ok := above.(*parser.Call); ok && (call.Func.Name == "rate" || call.Func.Name == "increase") {
				return nil
			}
		}
		err = fmt.Errorf("%s is a counter, and is read without rate() or increase()", selector.Name)
		return nil
	})
	return err
}

// logQL is only looked at from outside: it begins with a selector, and what is opened is closed. The running stack reads it
// for real.
func logQL(expr string) error {
	if !strings.HasPrefix(expr, "{") {
		return fmt.Errorf("%q does not begin with a stream selector", expr)
	}
	closing := map[rune]rune{'{': '}', '(': ')', '[': ']'}
	var open []rune
	quoted := false
	for _, r := range expr {
		switch {
		case r == '"':
			quoted = !quoted
		case quoted:
		case closing[r] != 0:
			open = append(open, closing[r])
		case strings.ContainsRune("})]", r):
			if len(open) == 0 || open[len(open)-1] != r {
				return fmt.Errorf("%q closes what it did not open", expr)
			}
			open = open[:len(open)-1]
		}
	}
	if quoted || len(open) > 0 {
		return fmt.Errorf("%q does not close what it opens", expr)
	}
	return nil
}
