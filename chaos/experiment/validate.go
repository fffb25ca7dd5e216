package experiment

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

var namePattern = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)

// problems collects what is wrong with one file.
type problems struct {
	source *source
	found  []error
}

func (p *problems) unless(ok bool, path, message string) {
	if !ok {
		p.found = append(p.found, p.source.Errorf(path, "%s", message))
	}
}

// validate checks what the types cannot: what must be there, and what must agree.
func validate(e Experiment) error {
	p := &problems{source: e.source}
	p.unless(namePattern.MatchString(e.Name), "$.name",
		"name: lower case letters, digits and dashes, starting with a letter")
	p.unless(e.Title != "", "$.title", "title: one line that says what is broken")
	p.unless(strings.TrimSpace(e.Hypothesis.Text) != "", "$.hypothesis.text", "hypothesis.text: what should hold, in words")
	p.unless(len(e.Hypothesis.SteadyState) > 0, "$.hypothesis.steady_state",
		"hypothesis.steady_state: at least one condition, or nothing tells a sick system from a broken one")
	p.unless(e.Hypothesis.Client.GoodSeconds > 0, "$.hypothesis.client.good_seconds",
		"hypothesis.client.good_seconds: at least 1")
	p.unless(e.Hypothesis.Client.Within.Duration >= 0, "$.hypothesis.client.within", "hypothesis.client.within: not negative")
	p.unless(e.Fault.Kind != "", "$.fault.kind", "fault.kind: what is injected")
	p.unless(e.Scope.Workload != "", "$.scope.workload", "scope.workload: an empty scope means none, never all")
	p.unless(e.Duration.Duration > 0, "$.duration", "duration: how long the fault is watched, for example 45s")
	p.conditions("$.hypothesis.steady_state", e.Hypothesis.SteadyState)
	p.conditions("$.abort", e.Abort)
	p.expectation(e.Expect)
	return errors.Join(p.found...)
}

func (p *problems) conditions(path string, conditions []Condition) {
	for i, c := range conditions {
		at := fmt.Sprintf("%s[%d]", path, i)
		p.unless(c.Query != "", at, "a condition needs a query")
		p.unless(c.Op != "", at, "a condition needs an op")
		p.unless(p.source.Has(at+".threshold"), at, "a condition needs a threshold")
	}
}

func (p *problems) expectation(e Expect) {
	p.unless(e.Cause == "" || e.Alert != "", "$.expect.alert",
		"expect.alert: a cause can only be named after an alert: say which one fires")
	p.unless(!e.Unknown || e.Cause == "" && e.Alert != "", "$.expect.unknown",
		"expect.unknown: an unknown fault has an alert, by which it is heard of, and no cause")
	p.unless((e.Cause == "") == (len(e.Right) == 0), "$.expect.right",
		"expect.right: a fault with a cause needs a right remedy, and a control has neither")
	for _, remedy := range e.Right {
		for _, harmful := range e.Harmful {
			p.unless(remedy != harmful, "$.expect.harmful", fmt.Sprintf("expect: %q is both right and harmful", remedy))
		}
	}
}
