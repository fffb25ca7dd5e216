package rulefile_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/faultline-lab/faultline/slo/internal/promtool"
	"github.com/faultline-lab/faultline/slo/model"
	"github.com/faultline-lab/faultline/slo/openslo"
	"github.com/faultline-lab/faultline/slo/profile"
	"github.com/faultline-lab/faultline/slo/rulefile"
)

const ratio = `{ratioMetric: {counter: true, bad: {metricSource: {type: Prometheus, spec: {query: 'sum(bad_total)'}}}, total: {metricSource: {type: Prometheus, spec: {query: sum(all_total)}}}}}`

// read makes an SLO with an indicator, a budgeting method and what else its objective says.
func read(t *testing.T, indicator, method, objective string) model.SLO {
	t.Helper()
	text := `apiVersion: openslo/v1
kind: SLO
metadata: {name: shop, displayName: 'A "shop" of {{ braces }}: #1', annotations: {faultline.dev/present: 'up{job="shop"} == 1'}}
spec:
  service: web
  indicator: {metadata: {name: x}, spec: ` + indicator + `}
  timeWindow: [{duration: 30d, isRolling: true}]
  budgetingMethod: ` + method + `
  objectives: [{target: 0.99` + objective + `}]
`
	slos, err := openslo.Parse(openslo.File{Name: "shop.yaml", Text: []byte(text)})
	if err != nil {
		t.Fatal(err)
	}
	return slos[0]
}

func rendered(t *testing.T, slo model.SLO, name string) string {
	t.Helper()
	p, err := profile.Get(name)
	if err != nil {
		t.Fatal(err)
	}
	text, err := rulefile.Render(slo, p, "shop.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// forms are all forms that an indicator can have.
var forms = map[string][3]string{
	"counters":      {ratio, "Occurrences", ""},
	"values":        {strings.Replace(ratio, "counter: true", "counter: false", 1), "Occurrences", ""},
	"raw":           {`{ratioMetric: {rawType: success, raw: {metricSource: {type: Prometheus, spec: {query: min(health)}}}}}`, "Occurrences", ""},
	"raw by window": {`{ratioMetric: {rawType: failure, raw: {metricSource: {type: Prometheus, spec: {query: 'max(avg_over_time(sick[{{.window}}]))'}}}}}`, "Occurrences", ""},
	"a threshold":   {`{thresholdMetric: {metricSource: {type: Prometheus, spec: {query: max(age)}}}}`, "Occurrences", ", op: lte, value: 5"},
	"slices":        {ratio, "Timeslices", ", timeSliceTarget: 0.95, timeSliceWindow: 1m"},
	"ratio slices":  {ratio, "RatioTimeslices", ", timeSliceWindow: 1m"},
}

func TestPromtoolFindsNoFaultInTheRulesOfAnyForm(t *testing.T) {
	tool := promtool.Find(t)
	for form, parts := range forms {
		t.Run(form, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "rules.yml")
			if err := os.WriteFile(path, []byte(rendered(t, read(t, parts[0], parts[1], parts[2]), profile.Production)), 0o600); err != nil {
				t.Fatal(err)
			}
			if output, err := exec.CommandContext(t.Context(), tool, "check", "rules", "--lint=all", "--lint-fatal", path).CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, output)
			}
		})
	}
}

// Half of what happens is bad: by each form the error ratio is a half, or all of the slices and samples are bad.
func TestEveryFormMeasuresWhatItSays(t *testing.T) {
	tool := promtool.Find(t)
	want := map[string]string{"slices": "1", "a threshold": "1"}
	for form, parts := range forms {
		t.Run(form, func(t *testing.T) {
			dir := t.TempDir()
			write := func(name, text string) string {
				path := filepath.Join(dir, name)
				if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
				return path
			}
			write("rules.yml", rendered(t, read(t, parts[0], parts[1], parts[2]), profile.Production))
			value := want[form]
			if value == "" {
				value = "0.5"
			}
			counter := "0+30x60"
			if form == "values" {
				counter = "30x60"
			}
			test := write("test.yml", `
rule_files: [rules.yml]
evaluation_interval: 30s
tests:
  - interval: 15s
    input_series:
      - { series: bad_total, values: '`+counter+`' }
      - { series: all_total, values: '`+strings.ReplaceAll(counter, "30x", "60x")+`' }
      - { series: health, values: '0.5x60' }
      - { series: sick, values: '0.5x60' }
      - { series: age, values: '9x60' }
    promql_expr_test:
      - expr: round(slo:error_ratio:rate5m, 0.01)
        eval_time: 14m
        exp_samples: [{ labels: '{slo="shop",workload="web"}', value: `+value+` }]
      - expr: round(slo:burn_rate:rate5m)
        eval_time: 14m
        exp_samples: [{ labels: '{slo="shop",workload="web"}', value: `+strings.ReplaceAll(strings.Replace(value, "0.5", "50", 1), "1", "100")+` }]
      - expr: slo:error_budget_remaining:ratio < bool 1
        eval_time: 14m
        exp_samples: [{ labels: '{slo="shop",workload="web"}', value: 1 }]
      - expr: count by (alertname, severity) (ALERTS{alertname=~".*Burn"})
        eval_time: 14m
        exp_samples:
          - { labels: '{alertname="ShopErrorBudgetBurn",severity="page"}', value: 1 }
          - { labels: '{alertname="ShopErrorBudgetBurn",severity="ticket"}', value: 1 }
`)
			if output, err := exec.CommandContext(t.Context(), tool, "test", "rules", test).CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, output)
			}
		})
	}
}

// A quiet night spends nothing. Where events are counted that is known; without any measurement nothing is.
func TestCountedEventsThatDidNotHappenLeaveTheWholeBudget(t *testing.T) {
	tool, dir := promtool.Find(t), t.TempDir()
	for name, text := range map[string]string{
		"rules.yml": rendered(t, read(t, ratio, "Occurrences", ""), profile.Production),
		"test.yml": `
rule_files: [rules.yml]
evaluation_interval: 30s
tests:
  - interval: 15s
    input_series:
      - { series: bad_total, values: '7x60' }
      - { series: all_total, values: '9x60' }
    promql_expr_test:
      - { expr: slo:error_budget_remaining:ratio, eval_time: 14m, exp_samples: [{ labels: 'slo:error_budget_remaining:ratio{slo="shop",workload="web"}', value: 1 }] }
  - interval: 15s
    input_series: [{ series: something_else, values: '0x60' }]
    promql_expr_test:
      - { expr: slo:error_budget_remaining:ratio, eval_time: 14m, exp_samples: [] }
`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if output, err := exec.CommandContext(t.Context(), tool, "test", "rules", filepath.Join(dir, "test.yml")).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, output)
	}
}

func TestAnSLOOfTicketsNeverPages(t *testing.T) {
	for _, name := range profile.Names() {
		slo := read(t, ratio, "Occurrences", "")
		if !strings.Contains(rendered(t, slo, name), "severity: page") {
			t.Errorf("%s: an SLO without a severity does not page", name)
		}
		slo.Alerting.Severity = model.Ticket
		if text := rendered(t, slo, name); strings.Contains(text, "severity: page") || !strings.Contains(text, "alert: ShopErrorBudgetBurn") {
			t.Errorf("%s: an SLO of tickets has\n%s", name, text)
		}
	}
}

func TestATitleCannotBecomeATemplate(t *testing.T) {
	_, rules, _ := strings.Cut(rendered(t, read(t, ratio, "Occurrences", ""), profile.Production), "\ngroups:\n") // above are comments
	if strings.Contains(rules, "{{ braces") || !strings.Contains(rules, "{ { braces") {
		t.Error("the title's braces are a template's")
	}
}
