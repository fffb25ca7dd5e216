package experiment_test

import (
	"strings"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/chaos/experiment"
)

const good = `name: a-fault
title: A fault
hypothesis:
  text: it holds
  steady_state:
    - says: all is up
      query: sum(up)
      op: ">="
      threshold: 0
  client:
    good_seconds: 5
    within: 20s
fault:
  kind: some-fault
  parameters:
    size: 3
scope:
  workload: orders
duration: 45s
abort:
  - query: cord
    op: "=="
    threshold: 1
expect:
  alert: ConnectionPoolExhausted
  cause: some-cause
  right: [restart-replicas]
  harmful: [scale-out]
`

func TestAGoodFileIsReadAsAWhole(t *testing.T) {
	e, err := experiment.Parse("a.yaml", []byte(good))
	if err != nil {
		t.Fatal(err)
	}
	if e.Duration.Duration != 45*time.Second || e.Hypothesis.SteadyState[0].Op != ">=" || e.Expect.Right[0] != "restart-replicas" {
		t.Errorf("read %+v", e)
	}
	if string(e.Source()) != good || e.File() != "a.yaml" {
		t.Error("the source is not what was read")
	}
	var parameters struct {
		Size  int `yaml:"size"`
		Other int `yaml:"other"`
	}
	parameters.Other = 7
	if err := e.Fault.Parameters.Decode(&parameters); err != nil || parameters.Size != 3 || parameters.Other != 7 {
		t.Errorf("parameters %+v, %v", parameters, err)
	}
}

func TestWhatIsWrongIsNamedWithItsPlace(t *testing.T) {
	tests := []struct{ name, from, to, want string }{
		{"an unknown key at the top", "title:", "titel:", `a.yaml:2:1: unknown key "titel" in the document; the keys there are: name, title, hypothesis`},
		{"an unknown key inside a list", "      threshold: 0", "      treshold: 0", `a.yaml:9:7: unknown key "treshold" in steady_state; the keys there are: says, query, op, threshold`},
		{"a key twice", "duration: 45s", "duration: 45s\nduration: 46s", "a.yaml:20:1: "},
		{"a tab where YAML wants spaces", "  workload", "\tworkload", "a.yaml:18:"},
		{"a value of the wrong type", "good_seconds: 5", "good_seconds: five", "a.yaml:11:19: "},
		{"a duration without a unit", "duration: 45s", "duration: 45", "a.yaml:19:11: not a duration"},
		{"a comparison that there is not", `">="`, `"=>"`, `a.yaml:8:11: not a comparison`},
		{"a condition without a threshold", "      threshold: 0\n", "", "a.yaml:6:7: a condition needs a threshold"},
		{"no steady state", "steady_state:\n    - says: all is up\n      query: sum(up)\n      op: \">=\"\n      threshold: 0\n", "steady_state: []\n", "hypothesis.steady_state: at least one"},
		{"an empty scope", "  workload: orders", "  workload: \"\"", "a.yaml:18:13: scope.workload: an empty scope means none, never all"},
		{"a missing scope", "scope:\n  workload: orders\n", "", "scope.workload"},
		{"a missing duration", "duration: 45s\n", "", "duration: how long"},
		{"a cause without a remedy", "  right: [restart-replicas]\n", "", "expect.right"},
		{"a cause without an alert", "  alert: ConnectionPoolExhausted\n", "", "expect.alert"},
		{"an unknown fault with a cause", "harmful: [scale-out]", "unknown: true", "an unknown fault has an alert"},
		{"a remedy that is right and harmful", "harmful: [scale-out]", "harmful: [restart-replicas]", "both right and harmful"},
		{"a name with a space", "name: a-fault", "name: a fault", "a.yaml:1:7: name"},
		{"two documents", "name: a-fault", "name: b\n---\nname: a-fault", "exactly one YAML document"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text := strings.Replace(good, tt.from, tt.to, 1)
			if text == good {
				t.Fatal("the test changes nothing")
			}
			_, err := experiment.Parse("a.yaml", []byte(text))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
		})
	}
}

func TestEveryProblemOfAFileIsReported(t *testing.T) {
	text := strings.NewReplacer("title: A fault", "title: ''", "duration: 45s", "duration: 0s").Replace(good)
	_, err := experiment.Parse("a.yaml", []byte(text))
	if err == nil || !strings.Contains(err.Error(), "a.yaml:2:8: title") || !strings.Contains(err.Error(), "a.yaml:19:11: duration") {
		t.Errorf("got %v", err)
	}
}

func TestAnEmptyFileIsAnError(t *testing.T) {
	for _, text := range []string{"", "\n", "# nothing\n", "just a word\n", "- a\n- b\n"} {
		if _, err := experiment.Parse("a.yaml", []byte(text)); err == nil || !strings.HasPrefix(err.Error(), "a.yaml:") {
			t.Errorf("%q gives %v", text, err)
		}
	}
}

func TestAConditionHolds(t *testing.T) {
	nan := 0.0
	nan /= nan
	tests := []struct {
		name   string
		op     experiment.Op
		values []float64
		want   bool
	}{
		{"when its value is on the right side", "<", []float64{1}, true},
		{"not when its value is on the wrong side", "<", []float64{2}, false},
		{"when every series is on the right side", ">=", []float64{2, 3}, true},
		{"not when one series is on the wrong side", ">=", []float64{2, 1}, false},
		{"not when there is no series, which is unknown", "!=", nil, false},
		{"not when the value is no number, which is unknown", "!=", []float64{nan}, false},
		{"when equal is wanted and it is", "==", []float64{2}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			condition := experiment.Condition{Query: "q", Op: tt.op, Threshold: 2}
			if got := condition.Holds(tt.values); got != tt.want {
				t.Errorf("%s with %v: %v", condition, tt.values, got)
			}
		})
	}
}

// FuzzParse looks for files that make the reader panic, or that it refuses without saying where.
func FuzzParse(f *testing.F) {
	f.Add([]byte(good))
	f.Add([]byte("a: [*x, &y {<<: 1}]"))
	f.Add([]byte("hypothesis: {steady_state: 3}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, err := experiment.Parse("f.yaml", data); err != nil && !strings.HasPrefix(err.Error(), "f.yaml:") {
			t.Errorf("no place: %v", err)
		}
	})
}
