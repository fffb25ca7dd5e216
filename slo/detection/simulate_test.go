package detection_test

import (
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/faultline-lab/faultline/slo/detection"
	"github.com/faultline-lab/faultline/slo/model"
	"github.com/faultline-lab/faultline/slo/rulefile"
)

// measured is what the engine did: when the alert first fired and when it was first silent again, from the fault's
// beginning and from its end.
type measured struct {
	fired         bool
	detect, reset time.Duration
}

type object = map[string]any

// simulate has promtool run the rules of the rows, which are of one SLO and profile, and reads what their alerts did.
// promtool can only compare, so it is told something impossible, and says what it got instead.
func simulate(t *testing.T, tool string, rows []detection.Row) []measured {
	t.Helper()
	dir := t.TempDir()
	first := rows[0]
	groups := behind(t, first)
	write(t, filepath.Join(dir, "rules.yml"), rulefile.Write(groups))
	var order []string // else promtool takes them as they come, and a run would not be like the last
	for _, group := range groups {
		order = append(order, group.Name)
	}
	var tests []object
	for _, row := range rows {
		tests = append(tests, object{
			"interval": model.Duration(row.Clock.Scrape), "input_series": input(t, row),
			"promql_expr_test": []object{{
				"expr": firing(row), "eval_time": model.Duration(end(row)),
				"exp_samples": []object{{"labels": `{what="impossible"}`, "value": -1}},
			}},
		})
	}
	file, err := yaml.Marshal(object{
		"rule_files": []string{"rules.yml"}, "evaluation_interval": model.Duration(first.Clock.Evaluation),
		"group_eval_order": order, "tests": tests,
	})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "test.yml")
	write(t, path, file)
	output, err := exec.CommandContext(t.Context(), tool, "test", "rules", path).CombinedOutput()
	if err == nil {
		t.Fatalf("promtool took the impossible for true:\n%s", output)
	}
	return read(t, rows, string(output))
}

// behind is the alert of a row and the rules that it needs, as they ship. The others, over other windows, would only take time.
func behind(t *testing.T, row detection.Row) []rulefile.Group {
	t.Helper()
	groups, err := rulefile.Groups(row.SLO, row.Profile)
	if err != nil {
		t.Fatal(err)
	}
	wanted := func(rule rulefile.Rule, by string) bool {
		ours := rule.Alert == rulefile.AlertName(row.SLO) && slices.Contains(rule.Labels, rulefile.Pair{Key: "severity", Value: string(row.Severity)})
		return ours || rule.Record != "" && strings.Contains(by, rule.Record+"{")
	}
	needed, before := "", -1
	for before != len(needed) { // rules may stand in the group of those that read them, or in another
		before = len(needed)
		for _, group := range groups {
			for _, rule := range group.Rules {
				if wanted(rule, needed) && !strings.Contains(needed, rule.Expr) {
					needed += rule.Expr
				}
			}
		}
	}
	for i := range groups {
		groups[i].Rules = slices.DeleteFunc(groups[i].Rules, func(rule rulefile.Rule) bool { return !wanted(rule, needed) })
	}
	return slices.DeleteFunc(groups, func(group rulefile.Group) bool { return len(group.Rules) == 0 })
}

// begins is when the fault does.
func begins(row detection.Row) time.Duration {
	return row.History().Truncate(row.Clock.Evaluation) + row.Clock.Evaluation
}

// end leaves the alert time to be silent again, and a while to stay so.
func end(row detection.Row) time.Duration {
	after := begins(row) + row.Lasts + row.Reset + 10*row.Clock.Tolerance()
	return after.Truncate(row.Clock.Evaluation)
}

// firing asks for the first and the last evaluation at which the alert fired, and for how many there were.
func firing(row detection.Row) string {
	alerts := fmt.Sprintf(`timestamp(ALERTS{alertname=%q,severity=%q,alertstate="firing"})[%s:%s]`,
		rulefile.AlertName(row.SLO), row.Severity, model.Duration(end(row)), model.Duration(row.Clock.Evaluation))
	var all []string
	for what, over := range map[string]string{"first": "min_over_time", "last": "max_over_time", "times": "count_over_time"} {
		all = append(all, fmt.Sprintf(`label_replace(max(%s(%s)), "what", %q, "", "")`, over, alerts, what))
	}
	return strings.Join(all, " or ")
}

var (
	got    = regexp.MustCompile(`(?m)^\s+got:\s?(.*)$`)
	sample = regexp.MustCompile(`\{what="(\w+)"\} ([0-9.E+-]+)`)
)

func read(t *testing.T, rows []detection.Row, output string) []measured {
	t.Helper()
	lines := got.FindAllStringSubmatch(output, -1)
	if len(lines) != len(rows) {
		t.Fatalf("promtool gave %d answers to %d questions:\n%s", len(lines), len(rows), output)
	}
	var all []measured
	for i, row := range rows {
		values := map[string]time.Duration{}
		for _, found := range sample.FindAllStringSubmatch(lines[i][1], -1) {
			seconds, err := strconv.ParseFloat(found[2], 64)
			if err != nil {
				t.Fatal(err)
			}
			values[found[1]] = time.Duration(math.Round(seconds * float64(time.Second)))
		}
		if len(values) == 0 && strings.Contains(lines[i][1], "nil") {
			all = append(all, measured{})
			continue
		}
		if len(values) != 3 {
			t.Fatalf("promtool answered %q", lines[i][1])
		}
		every := row.Clock.Evaluation
		if times := int(values["times"] / time.Second); times != int((values["last"]-values["first"])/every)+1 {
			t.Errorf("%s: the alert fired %d times between %s and %s: it flapped", title(row), times, values["first"], values["last"])
		}
		all = append(all, measured{true, values["first"] - begins(row), values["last"] + every - begins(row) - row.Lasts})
	}
	return all
}

// eventsPerSecond is the traffic: so much that no alert waits for its least number of bad events, and that a share of it is
// a whole number of events. A counter of fractions may lose the last digit, and Prometheus would take that for a restart.
const eventsPerSecond = 4000

// kinds of series, by what counts in them.
const (
	everything = iota
	goodOnes
	badOnes
)

// series are those that the indicators of our specs read.
var series = map[string]map[string]int{
	"checkout": {
		`http_server_request_duration_seconds_count{job="storefront",http_request_method="POST",http_route="/checkout",http_response_status_code="201"}`:           goodOnes,
		`http_server_request_duration_seconds_bucket{job="storefront",http_request_method="POST",http_route="/checkout",http_response_status_code="201",le="0.5"}`: goodOnes,
		`http_server_request_duration_seconds_count{job="storefront",http_request_method="POST",http_route="/checkout",http_response_status_code="503"}`:           badOnes,
	},
	"orders-availability": {
		`orders_placements_total{job="orders",outcome="confirmed"}`:   goodOnes,
		`orders_placements_total{job="orders",outcome="unavailable"}`: badOnes,
	},
	"orders-latency": {
		`http_server_request_duration_seconds_count{job="orders",http_request_method="POST",http_route="/orders",http_response_status_code="201"}`:           everything,
		`http_server_request_duration_seconds_bucket{job="orders",http_request_method="POST",http_route="/orders",http_response_status_code="201",le="0.4"}`: goodOnes,
	},
	"healer-intake": {
		`autoheal_webhooks_total{job="autoheal",answer="accepted"}`:      goodOnes,
		`autoheal_webhooks_total{job="autoheal",answer="not_persisted"}`: badOnes,
	},
	"healer-proof": {
		`autoheal_verifications_total{job="autoheal",result="proved"}`:     goodOnes,
		`autoheal_verifications_total{job="autoheal",result="not-proved"}`: badOnes,
	},
	"healer-promptness": {`autoheal_queue_age_seconds{job="autoheal"}`: badOnes},
}

// input makes the series of a row: well, ill, well again.
func input(t *testing.T, row detection.Row) []object {
	t.Helper()
	well, ill := int(begins(row)/row.Clock.Scrape), int(row.Lasts/row.Clock.Scrape)
	after := int(end(row)/row.Clock.Scrape) - well - ill
	perScrape := eventsPerSecond * row.Clock.Scrape.Seconds()
	bad := math.Round(perScrape * row.Ratio)
	var all []object
	for name, kind := range series[row.SLO.Name] {
		var values string
		switch {
		case !row.SLO.Indicator.Counted():
			values = fmt.Sprintf("0x%d 100x%d 0x%d", well, ill-1, after) // a value that passes its bound
		case kind == everything:
			values = counter(step{well, perScrape}, step{ill, perScrape}, step{after, perScrape})
		case kind == goodOnes:
			values = counter(step{well, perScrape}, step{ill, perScrape - bad}, step{after, perScrape})
		default:
			values = counter(step{well, 0}, step{ill, bad}, step{after, 0})
		}
		all = append(all, object{"series": name, "values": values})
	}
	if len(all) == 0 {
		t.Fatalf("no series are known for %s: add those that its indicator reads", row.SLO.Name)
	}
	return all
}

// step is a number of scrapes, and by how much a counter rises at each.
type step struct {
	scrapes int
	rise    float64
}

// counter writes promtool's notation: a+bxn are n+1 samples.
func counter(steps ...step) string {
	parts := []string{"0"}
	at := 0.0
	for _, s := range steps {
		parts = append(parts, fmt.Sprintf("%s+%sx%d", model.Number(at+s.rise), model.Number(s.rise), s.scrapes-1))
		at += s.rise * float64(s.scrapes)
	}
	return strings.Join(parts, " ")
}

func write(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}
