package openslo_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/slo/model"
	"github.com/faultline-lab/faultline/slo/openslo"
)

// good is an SLO that loads; tests change it with strings.Replacer.
const good = `apiVersion: openslo/v1
kind: SLO
metadata:
  name: shop
  displayName: The shop answers
  labels: {team: [a, b], tier: "1"}
  annotations: {example.com/anything: goes}
spec:
  description: It answers.
  service: web
  indicator:
    metadata: {name: answers}
    spec:
      ratioMetric:
        counter: true
        good: {metricSource: {type: Prometheus, spec: {query: 'sum(requests_total{code="200"})'}}}
        total: {metricSource: {type: Prometheus, spec: {query: 'sum(requests_total)'}}}
  timeWindow:
    - duration: 4w
      isRolling: true
  budgetingMethod: Occurrences
  objectives:
    - displayName: Good
      target: 0.99
`

func parse(t *testing.T, text string) []model.SLO {
	t.Helper()
	slos, err := openslo.Parse(openslo.File{Name: "slo.yaml", Text: []byte(text)})
	if err != nil {
		t.Fatal(err)
	}
	return slos
}

func TestAnSLOIsReadAsItSays(t *testing.T) {
	slo := parse(t, good)[0]
	if slo.Name != "shop" || slo.Workload != "web" || slo.Objective != 0.99 || slo.Period != 28*24*time.Hour || slo.Labels["team"] != "a,b" {
		t.Errorf("read %+v", slo)
	}
	want := `(clamp_min(sum(rate(requests_total[5m])) - (sum(rate(requests_total{code="200"}[5m])) or 0 * sum(rate(requests_total[5m]))), 0)) / (sum(rate(requests_total[5m])) > 0)`
	if got := slo.Indicator.ErrorRatio(5 * time.Minute); got != want {
		t.Errorf("its error ratio is\n%s, want\n%s", got, want)
	}
	if got := slo.Places.Of(model.AtObjective).String(); got != "slo.yaml:24:15" {
		t.Errorf("its objective is at %s", got)
	}
}

// change makes one replacement, which must be one.
func change(t *testing.T, pairs ...string) string {
	t.Helper()
	text := good
	for i := 0; i < len(pairs); i += 2 {
		if strings.Count(text, pairs[i]) != 1 {
			t.Fatalf("%q is there %d times", pairs[i], strings.Count(text, pairs[i]))
		}
		text = strings.Replace(text, pairs[i], pairs[i+1], 1)
	}
	return text
}

const (
	ratio = `      ratioMetric:
        counter: true
        good: {metricSource: {type: Prometheus, spec: {query: 'sum(requests_total{code="200"})'}}}
        total: {metricSource: {type: Prometheus, spec: {query: 'sum(requests_total)'}}}
`
	goodQuery = `'sum(requests_total{code="200"})'`
	target    = "      target: 0.99\n"
)

func TestEveryFormOfAnIndicatorHasItsErrorRatio(t *testing.T) {
	for name, test := range map[string]struct {
		text string
		want string
	}{
		"bad of total": {
			change(t, "good: {metric", "bad: {metric"),
			`(sum(rate(requests_total{code="200"}[5m])) or 0 * sum(rate(requests_total[5m]))) / (sum(rate(requests_total[5m])) > 0)`,
		},
		"queries with a place for the window": {
			change(t, goodQuery, `'sum(increase(ok_total[{{.window}}]))'`, `'sum(requests_total)'`, `'sum(increase(all_total[{{ .window }}]))'`),
			`(clamp_min((sum(increase(all_total[5m])) / 300) - ((sum(increase(ok_total[5m])) / 300) or 0 * (sum(increase(all_total[5m])) / 300)), 0)) / ((sum(increase(all_total[5m])) / 300) > 0)`,
		},
		"values of a moment": {
			change(t, "counter: true", "counter: false", goodQuery, "ready_hosts", `'sum(requests_total)'`, "hosts"),
			`sum_over_time(((clamp_min(sum(hosts) - (sum(ready_hosts) or 0 * sum(hosts)), 0)) > -Inf)[5m:]) / (sum_over_time(((sum(hosts)) > -Inf)[5m:]) > 0)`,
		},
		"a ratio of successes that is there already": {
			change(t, ratio, "      ratioMetric: {rawType: success, raw: {metricSource: {type: prometheus, spec: {query: min(health)}}}}\n"),
			`sum_over_time(((1 - min(health)) > -Inf)[5m:]) / (sum_over_time((0 * ((1 - min(health)) > -Inf) + 1)[5m:]) > 0)`,
		},
		"a ratio of failures with a place for the window": {
			change(t, ratio, "      ratioMetric: {rawType: failure, raw: {metricSource: {type: Prometheus, spec: {query: 'max(avg_over_time(sick[{{.window}}]))'}}}}\n"),
			`max(avg_over_time(sick[5m]))`,
		},
		"a value with a bound": {
			change(t, ratio, "      thresholdMetric: {metricSource: {type: Prometheus, spec: {query: max(queue_seconds)}}}\n", target, "      target: 0.99\n      op: lte\n      value: 5\n"),
			`sum_over_time((1 - (((max(queue_seconds)) > -Inf) <= bool 5))[5m:]) / (sum_over_time((0 * (1 - (((max(queue_seconds)) > -Inf) <= bool 5)) + 1)[5m:]) > 0)`,
		},
		"slices that are good or bad": {
			change(t, "Occurrences", "Timeslices", target, target+"      timeSliceTarget: 0.95\n      timeSliceWindow: 1m\n", "good: {metric", "bad: {metric"),
			`sum_over_time(((((sum(rate(requests_total{code="200"}[1m])) or 0 * sum(rate(requests_total[1m]))) / (sum(rate(requests_total[1m])) > 0)) > bool (1 - 0.95 + 0.000000001)) > -Inf)[5m:1m])`,
		},
		"slices that count with their ratio": {
			change(t, "Occurrences", "RatioTimeslices", target, target+"      timeSliceWindow: 2\n", "good: {metric", "bad: {metric"),
			`sum_over_time((((sum(rate(requests_total{code="200"}[2m])) or 0 * sum(rate(requests_total[2m]))) / (sum(rate(requests_total[2m])) > 0)) > -Inf)[5m:2m])`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := parse(t, test.text)[0].Indicator.ErrorRatio(5 * time.Minute); !strings.HasPrefix(got, test.want) {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestWhatIsInvalidOrNotSupportedIsRefusedWithItsPlace(t *testing.T) {
	const calendar = "      calendar: {startTime: 2022-01-01 12:00:00, timeZone: America/New_York}\n"
	for name, test := range map[string]struct{ text, want string }{
		"another version":                          {change(t, "openslo/v1", "openslo/v2alpha"), `slo.yaml:1:13: apiVersion is "openslo/v2alpha", and only openslo/v1 is read here`},
		"no version":                               {change(t, "apiVersion: openslo/v1\n", ""), "slo.yaml:1:1: apiVersion is missing"},
		"another kind":                             {change(t, "kind: SLO", "kind: SLA"), `slo.yaml:2:7: kind is "SLA"; the kinds there are: SLO, SLI, Service`},
		"an unknown key":                           {change(t, "budgetingMethod", "budgetMethod"), `slo.yaml:21:3: unknown key "budgetMethod" in spec; the keys there are: description, service, indicator`},
		"an unknown key of the source":             {change(t, "{query: 'sum(requests_total)'}", "{promql: up}"), `slo.yaml:17:65: unknown key "promql" in the spec of a Prometheus source; the keys there are: query`},
		"no name":                                  {change(t, "  name: shop\n", ""), "metadata.name is missing"},
		"a name that is none":                      {change(t, "name: shop", "name: The_Shop"), "slo.yaml:4:9: metadata.name is \"The_Shop\": use up to 63 lower case"},
		"no service":                               {change(t, "  service: web\n", ""), "spec.service is missing"},
		"no window":                                {change(t, "  timeWindow:\n    - duration: 4w\n      isRolling: true\n", ""), "timeWindow is missing; OpenSLO allows that"},
		"two windows":                              {change(t, "      isRolling: true\n", "      isRolling: true\n    - {duration: 1d, isRolling: true}\n"), "timeWindow has 2 items"},
		"a calendar":                               {change(t, "      isRolling: true\n", calendar), "slo.yaml:20:18: calendar-aligned periods are not supported"},
		"a rolling calendar":                       {change(t, "      isRolling: true\n", "      isRolling: true\n"+calendar), "a rolling window has no calendar"},
		"neither rolling nor calendar":             {change(t, "      isRolling: true\n", ""), "neither rolling nor has it a calendar"},
		"a duration in Go's way":                   {change(t, "duration: 4w", "duration: 1h30m"), "slo.yaml:19:17: not a duration: 1h30m"},
		"a duration of nothing":                    {change(t, "duration: 4w", "duration: 0d"), "not a duration"},
		"no method":                                {change(t, "  budgetingMethod: Occurrences\n", ""), `spec.budgetingMethod is ""; use one of: Occurrences, Timeslices, RatioTimeslices`},
		"no objective":                             {change(t, "  objectives:\n    - displayName: Good\n      target: 0.99\n", ""), "spec.objectives is missing"},
		"no target":                                {change(t, target, ""), "the objective has no target"},
		"two targets":                              {change(t, target, target+"      targetPercent: 99\n"), "slo.yaml:25:22: target and targetPercent: use one of them"},
		"a target in percent":                      {change(t, "target: 0.99", "target: 99.9"), "use a share below 1, such as 0.99, or targetPercent: 99.9"},
		"a target of all":                          {change(t, target, "      targetPercent: 100\n"), "targetPercent is 100: use less than 100"},
		"a target of nothing":                      {change(t, "target: 0.99", "target: 0"), "a target of 0 is not supported, although OpenSLO allows it"},
		"a target that is no number":               {change(t, "target: 0.99", "target: .nan"), "slo.yaml:24:15: not a number: .nan"},
		"a slice without its method":               {change(t, target, target+"      timeSliceWindow: 1m\n"), "timeSliceWindow is for budgetingMethod"},
		"a method without its slice":               {change(t, "Occurrences", "Timeslices"), "budgetingMethod Timeslices needs a timeSliceWindow"},
		"a slice without its target":               {change(t, "Occurrences", "Timeslices", target, target+"      timeSliceWindow: 1m\n"), "needs a timeSliceTarget"},
		"op the wrong way round":                   {change(t, target, target+"      op: lt\n"), "a ratio of good ones is better the higher it is"},
		"a value beside a ratio":                   {change(t, target, target+"      value: 1\n"), "value is for thresholdMetric"},
		"composites":                               {change(t, target, target+"      compositeWeight: 2\n"), "composite SLOs"},
		"alert policies":                           {change(t, "  budgetingMethod", "  alertPolicies: [{alertPolicyRef: x}]\n  budgetingMethod"), "slo.yaml:21:18: alertPolicies are not supported"},
		"an SLI that is not there":                 {change(t, "  indicator:\n    metadata: {name: answers}\n    spec:\n"+ratio, "  indicatorRef: answers\n"), `slo.yaml:11:17: there is no SLI "answers"`},
		"no indicator":                             {change(t, "  indicator:\n    metadata: {name: answers}\n    spec:\n"+ratio, ""), "neither indicator nor indicatorRef"},
		"neither good nor bad":                     {change(t, "        good: {metricSource: {type: Prometheus, spec: {query: "+goodQuery+"}}}\n", ""), "ratioMetric needs good or bad beside total"},
		"a source of somebody else's":              {change(t, goodQuery+"}}}", "x}}}", "good: {metricSource: {type: Prometheus", "good: {metricSource: {type: Datadog"), `slo.yaml:16:37: sources of type "Datadog" are not supported: only Prometheus is`},
		"a source that is not there":               {change(t, "good: {metricSource: {type: Prometheus", "good: {metricSource: {metricSourceRef: mine"), `there is no DataSource "mine"`},
		"no type of source":                        {change(t, "good: {metricSource: {type: Prometheus, ", "good: {metricSource: {"), "metricSource needs a type"},
		"a query that is no PromQL":                {change(t, goodQuery, "'sum('"), "slo.yaml:16:63: the query is not PromQL"},
		"a counter that is a rate":                 {change(t, goodQuery, "'sum(rate(x_total[5m]))'"), "write {{.window}} where its window goes"},
		"two kinds of queries":                     {change(t, "counter: true", "counter: false", goodQuery, "'sum(rate(x_total[{{.window}}]))'"), "use it in both or in none"},
		"two SLOs of one name":                     {good + "---\n" + good, `slo.yaml:29:9: there is a SLO "shop" already, at slo.yaml:4:9`},
		"an annotation of ours, misspelt":          {change(t, "example.com/anything: goes", "faultline.dev/dashbord: x"), `unknown annotation "faultline.dev/dashbord"; those there are: faultline.dev/absent-data`},
		"a severity that there is not":             {change(t, "example.com/anything: goes", "faultline.dev/severity: sms"), `slo.yaml:7:41: faultline.dev/severity: "sms": write page`},
		"a rate that is none":                      {change(t, "example.com/anything: goes", "faultline.dev/expected-rate: lots"), "write events in a second"},
		"a finding that is accepted for no reason": {change(t, "example.com/anything: goes", `faultline.dev/accept-low-traffic: ""`), "say why the finding is accepted"},
		"an empty file":                            {"# nothing\n", "slo.yaml:1:1: the file is empty"},
		"no YAML":                                  {"a: [", "slo.yaml:1:"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := openslo.Parse(openslo.File{Name: "slo.yaml", Text: []byte(test.text)})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v\nwant ...%s...", err, test.want)
			}
		})
	}
}

func TestObjectsMayLieInOtherFilesAndDocuments(t *testing.T) {
	sli := "apiVersion: openslo/v1\nkind: SLI\nmetadata: {name: answers}\nspec:\n" + strings.ReplaceAll(strings.ReplaceAll(ratio, "type: Prometheus", "metricSourceRef: ours"), "\n    ", "\n")
	sli = strings.Replace(sli, "      ratioMetric", "  ratioMetric", 1)
	source := "apiVersion: openslo/v1\nkind: DataSource\nmetadata: {name: ours}\nspec: {type: Prometheus, connectionDetails: {url: http://x}}\n"
	text := change(t, "  indicator:\n    metadata: {name: answers}\n    spec:\n"+ratio, "  indicatorRef: answers\n",
		target, target+"    - targetPercent: 99.9\n    - {displayName: Very Good!, target: 0.95}\n")
	slos, err := openslo.Parse(openslo.File{Name: "slo.yaml", Text: []byte(text)}, openslo.File{Name: "rest.yaml", Text: []byte(sli + "---\n" + source)})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, slo := range slos {
		names = append(names, slo.Name)
	}
	if strings.Join(names, " ") != "shop-good shop-2 shop-very-good" || slos[1].Objective != 0.999 {
		t.Errorf("%v, objective %v", names, slos[1].Objective)
	}
	if got := slos[0].Places.Of(model.AtGood).File; got != "rest.yaml" {
		t.Errorf("the good query stands in %s", got)
	}
}

// The folder holds files in the forms that OpenSLO's own examples have: those in loads/ load, those in refused/ are refused
// for the reason in their first line.
func TestFilesOfOtherPeopleLoadOrAreRefusedWithAReason(t *testing.T) {
	for _, path := range glob(t, "testdata/loads/*.yaml") {
		if _, err := openslo.Load(path); err != nil {
			t.Errorf("%v", err)
		}
	}
	for _, path := range glob(t, "testdata/refused/*.yaml") {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		first, _, _ := strings.Cut(string(text), "\n")
		want := strings.TrimPrefix(first, "# ")
		if _, err := openslo.Load(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v\nwant ...%s...", path, err, want)
		}
	}
}

func glob(t *testing.T, pattern string) []string {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil || len(paths) == 0 {
		t.Fatalf("%s: %v, %v", pattern, paths, err)
	}
	return paths
}

// Whatever is in a file, it is read or refused with its place, and what is read can be measured.
func FuzzAFileIsReadOrRefused(f *testing.F) {
	f.Add(good)
	f.Add("- " + strings.ReplaceAll(good, "\n", "\n  "))
	f.Add(strings.Replace(good, "Occurrences", "Timeslices", 1))
	f.Add("apiVersion: openslo/v1\nkind: AlertPolicy\nmetadata: {name: a}\nspec: {conditions: [{conditionRef: b}], notificationTargets: [{targetRef: c}]}\n")
	f.Fuzz(func(t *testing.T, text string) {
		slos, err := openslo.Parse(openslo.File{Name: "f", Text: []byte(text)})
		if err != nil {
			for line := range strings.SplitSeq(err.Error(), "\n") {
				if strings.HasPrefix(line, "f:") {
					return
				}
			}
			t.Fatalf("an error without its place: %v", err)
		}
		for _, slo := range slos {
			if slo.Name == "" || slo.Period <= 0 || !(slo.Objective > 0 && slo.Objective < 1) {
				t.Errorf("read %+v", slo)
			}
			if slo.Indicator.ErrorRatio(time.Hour) == "" {
				t.Error("its error ratio is no question")
			}
		}
	})
}
