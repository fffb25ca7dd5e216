package contract

import (
	"slices"
)

// Contract is telemetry.yaml after parsing: what every program may emit, and what it must.
type Contract struct {
	Programs   map[string]Program   `yaml:"programs"`
	Attributes map[string]Attribute `yaml:"attributes"`
	Metrics    []Metric             `yaml:"metrics"`
	Stack      []StackMetric        `yaml:"stack"`
	Shapes     map[string]Shape     `yaml:"shapes"`
	Spans      []Span               `yaml:"spans"`
	Logs       Logs                 `yaml:"logs"`
}

// Program is one of ours: its name is the Prometheus job and the service.name of its spans and logs.
type Program struct {
	About string `yaml:"about"`
	// Scraped says that Prometheus reads a page of it.
	Scraped bool `yaml:"scraped"`
	// Targets are where it runs: local, kind.
	Targets []string `yaml:"targets"`
}

// Attribute is one label, span attribute or log field, whichever signal it stands on.
type Attribute struct {
	About string `yaml:"about"`
	// Values is the closed list; Max the number of distinct values on one page, and Pattern what each looks like. What
	// has neither list nor number cannot be a metric's label, unless the metric lists the values itself.
	Values  []string `yaml:"values"`
	Max     int      `yaml:"max"`
	Pattern string   `yaml:"pattern"`
}

// Type is a metric's type as the scrape page names it. OpenTelemetry's up-down counters are gauges there.
type Type string

// The types of metrics.
const (
	Counter   Type = "counter"
	Gauge     Type = "gauge"
	Histogram Type = "histogram"
)

// Seen says when something can be expected to have been emitted.
type Seen string

// When things are seen. What is seen Rarely may always be absent.
const (
	Always       Seen = "always"
	UnderFailure Seen = "under_failure"
	OnHeal       Seen = "on_heal"
	Rarely       Seen = "rarely"
)

// Metric is one family of series.
type Metric struct {
	// Name is OpenTelemetry's, with dots; a metric of client_golang has only its Prometheus name.
	Name string `yaml:"name"`
	Type Type   `yaml:"type"`
	// Unit is in UCUM: s, By, 1, {order}.
	Unit     string   `yaml:"unit"`
	About    string   `yaml:"about"`
	Programs []string `yaml:"programs"`
	// Seen holds for all programs but those in SeenBy.
	Seen   Seen            `yaml:"seen"`
	SeenBy map[string]Seen `yaml:"seen_by"`
	// Labels are on every series, MayHave on some.
	Labels  []string `yaml:"labels"`
	MayHave []string `yaml:"may_have"`
	// Values narrows a label to this metric's own values, which are closed.
	Values map[string][]string `yaml:"values"`
	// FromZero says that each value of the closed labels is exported from the start, so that rate() misses no first
	// step.
	FromZero bool `yaml:"from_zero"`
	// Exemplars are the programs whose measurements lead to traces, once there is one.
	Exemplars []string `yaml:"exemplars"`
	// MaxSeries bounds the series of one page; 0 leaves that to the labels.
	MaxSeries  int    `yaml:"max_series"`
	Convention string `yaml:"convention"`

	prometheus string
}

// seenBy says when a program is seen to emit it.
func (m Metric) seenBy(program string) Seen {
	if seen, there := m.SeenBy[program]; there {
		return seen
	}
	return m.Seen
}

// Prometheus is the metric's name in queries: of a counter with _total, of a histogram without _bucket.
func (m Metric) Prometheus() string { return m.prometheus }

// StackMetric is a metric of somebody else's program (Prometheus, Loki) that our dashboards or rules rely on.
type StackMetric struct {
	Name  string `yaml:"name"`
	Type  Type   `yaml:"type"`
	About string `yaml:"about"`
	// Jobs are whose it is; empty for what Prometheus makes of every target (up).
	Jobs   []string `yaml:"jobs"`
	Labels []string `yaml:"labels"`
}

// Shape is what many spans have in common.
type Shape struct {
	Kind       string   `yaml:"kind"`
	About      string   `yaml:"about"`
	Attributes []string `yaml:"attributes"`
	MayHave    []string `yaml:"may_have"`
}

// Span is one kind of span.
type Span struct {
	// Name is exact but for words like <table>, which stand for one value of that attribute.
	Name     string   `yaml:"name"`
	About    string   `yaml:"about"`
	Programs []string `yaml:"programs"`
	Seen     Seen     `yaml:"seen"`
	// Root says that a trace may begin here; every other span has its parent in the same trace.
	Root bool `yaml:"root"`
	// Shape gives kind and attributes, to which those that stand here are added.
	Shape      string   `yaml:"shape"`
	Kind       string   `yaml:"kind"`
	Attributes []string `yaml:"attributes"`
	MayHave    []string `yaml:"may_have"`

	words []nameWord
}

// Logs are the records that all programs write.
type Logs struct {
	// Resource fields are on every record; Context fields on every record that was written within a trace; MayHave
	// fields come where they fit, from the pipeline or the store.
	Resource []string  `yaml:"resource"`
	Context  []string  `yaml:"context"`
	MayHave  []string  `yaml:"may_have"`
	Messages []Message `yaml:"messages"`
}

// Message is one log message: a constant, so that records can be counted by it.
type Message struct {
	Message  string   `yaml:"message"`
	Levels   []string `yaml:"levels"`
	About    string   `yaml:"about"`
	Programs []string `yaml:"programs"`
	Seen     Seen     `yaml:"seen"`
	// Traced says that it is always written within a trace, so that it has the Context fields.
	Traced  bool     `yaml:"traced"`
	Fields  []string `yaml:"fields"`
	MayHave []string `yaml:"may_have"`
}

// Emits lists the metrics of one program, in the contract's order.
func (c Contract) Emits(program string) []Metric {
	var own []Metric
	for _, m := range c.Metrics {
		if slices.Contains(m.Programs, program) {
			own = append(own, m)
		}
	}
	return own
}

// Scraped lists, by name, the programs that Prometheus reads on a target.
func (c Contract) Scraped(target string) []string {
	return c.names(func(p Program) bool { return p.Scraped && slices.Contains(p.Targets, target) })
}

func (c Contract) names(of func(Program) bool) []string {
	var names []string
	for name, p := range c.Programs {
		if of(p) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
