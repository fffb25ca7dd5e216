package experiment

import (
	"fmt"
	"time"

	"github.com/goccy/go-yaml/ast"

	"github.com/faultline-lab/faultline/observability/strictyaml"
)

// Experiment is one file.
type Experiment struct {
	Name  string `yaml:"name"`  // lower case, digits and dashes; the file is called after it
	Title string `yaml:"title"` // one line

	Hypothesis Hypothesis `yaml:"hypothesis"`
	Fault      Fault      `yaml:"fault"`
	Scope      Scope      `yaml:"scope"`
	// Duration is the observation window: how long the fault is watched before it is taken away.
	Duration Duration    `yaml:"duration"`
	Abort    []Condition `yaml:"abort"`
	Expect   Expect      `yaml:"expect"`

	source *source
}

// Hypothesis is what should be true before the fault, and again at the end of its window.
type Hypothesis struct {
	Text        string      `yaml:"text"`
	SteadyState []Condition `yaml:"steady_state"`
	Client      Client      `yaml:"client"`
}

// Client is the steady state as the client sees it.
type Client struct {
	GoodSeconds int      `yaml:"good_seconds"` // that many good seconds running
	Within      Duration `yaml:"within"`       // how long to wait for them before the experiment starts
}

// Condition holds a PromQL expression against a threshold. An expression with several series holds when every one of
// them does; one without a series is unknown, and unknown never holds.
type Condition struct {
	Says      string  `yaml:"says"` // what it means, in words
	Query     string  `yaml:"query"`
	Op        Op      `yaml:"op"`
	Threshold float64 `yaml:"threshold"`
}

// Source is the file's text, as it was read.
func (e Experiment) Source() []byte { return e.source.text }

// File is the name that the file was read under.
func (e Experiment) File() string { return e.source.file }

// String is the condition as a person would write it.
func (c Condition) String() string { return fmt.Sprintf("%s %s %v", c.Query, c.Op, c.Threshold) }

// Fault is what is broken. The kind decides which parameters there are (package fault).
type Fault struct {
	Kind       string     `yaml:"kind"`
	Parameters Parameters `yaml:"parameters"`
}

// Scope is how far the fault may reach. Nothing outside of it is touched, by the fault or by taking it away.
type Scope struct {
	Workload string `yaml:"workload"`
}

// Expect is what a good healer makes of the fault. A control, a fault that needs no healing, has neither cause nor
// remedies; a control that should not even alert has no alert. An unknown fault hurts, but no healer of ours has a name for
// it: it must be handed to a person with nothing harmful done.
type Expect struct {
	Alert   string   `yaml:"alert"`   // name of the alert that must fire
	Cause   string   `yaml:"cause"`   // what the healer should name
	Unknown bool     `yaml:"unknown"` // nobody should name a cause
	Right   []string `yaml:"right"`   // remedies that mend it
	Harmful []string `yaml:"harmful"` // remedies that make it worse
}

// Duration is written as Go writes durations: 45s, 1m30s.
type Duration struct{ time.Duration }

// UnmarshalYAML reads the text form.
func (d *Duration) UnmarshalYAML(node ast.Node) error {
	text, ok := node.(*ast.StringNode)
	if !ok {
		return &strictyaml.ValueError{Node: node, Message: "not a duration: write it like 45s or 1m30s"}
	}
	parsed, err := time.ParseDuration(text.Value)
	if err != nil {
		return &strictyaml.ValueError{Node: node, Message: fmt.Sprintf("not a duration: %q: write it like 45s or 1m30s", text.Value)}
	}
	d.Duration = parsed
	return nil
}
