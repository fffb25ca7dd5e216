package openslo

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"time"

	"github.com/goccy/go-yaml/ast"

	"github.com/faultline-lab/faultline/observability/strictyaml"
)

// version is the one that is read.
const version = "openslo/v1"

type header struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string `yaml:"kind"`
}

type object[Spec any] struct {
	APIVersion string   `yaml:"apiVersion"`
	Kind       string   `yaml:"kind"`
	Metadata   metadata `yaml:"metadata"`
	Spec       Spec     `yaml:"spec"`
}

type metadata struct {
	Name        string            `yaml:"name"`
	DisplayName string            `yaml:"displayName"`
	Labels      map[string]values `yaml:"labels"`
	Annotations map[string]string `yaml:"annotations"`
}

type sloSpec struct {
	Description     string           `yaml:"description"`
	Service         string           `yaml:"service"`
	Indicator       *inlineIndicator `yaml:"indicator"`
	IndicatorRef    string           `yaml:"indicatorRef"`
	TimeWindow      []timeWindow     `yaml:"timeWindow"`
	BudgetingMethod string           `yaml:"budgetingMethod"`
	Objectives      []objective      `yaml:"objectives"`
	AlertPolicies   []any            `yaml:"alertPolicies"`
}

type inlineIndicator struct {
	Metadata metadata `yaml:"metadata"`
	Spec     sliSpec  `yaml:"spec"`
}

type timeWindow struct {
	Duration  shorthand `yaml:"duration"`
	IsRolling bool      `yaml:"isRolling"`
	Calendar  *calendar `yaml:"calendar"`
}

type calendar struct {
	StartTime string `yaml:"startTime"`
	TimeZone  string `yaml:"timeZone"`
}

type objective struct {
	DisplayName     string           `yaml:"displayName"`
	Op              string           `yaml:"op"`
	Value           *number          `yaml:"value"`
	Target          *number          `yaml:"target"`
	TargetPercent   *number          `yaml:"targetPercent"`
	TimeSliceTarget *number          `yaml:"timeSliceTarget"`
	TimeSliceWindow shorthand        `yaml:"timeSliceWindow"`
	Indicator       *inlineIndicator `yaml:"indicator"`
	IndicatorRef    string           `yaml:"indicatorRef"`
	CompositeWeight *number          `yaml:"compositeWeight"`
}

type sliSpec struct {
	Description     string       `yaml:"description"`
	ThresholdMetric *metric      `yaml:"thresholdMetric"`
	RatioMetric     *ratioMetric `yaml:"ratioMetric"`
}

type ratioMetric struct {
	Counter bool    `yaml:"counter"`
	Good    *metric `yaml:"good"`
	Bad     *metric `yaml:"bad"`
	Total   *metric `yaml:"total"`
	RawType string  `yaml:"rawType"`
	Raw     *metric `yaml:"raw"`
}

type metric struct {
	MetricSource metricSource `yaml:"metricSource"`
}

type metricSource struct {
	MetricSourceRef string         `yaml:"metricSourceRef"`
	Type            string         `yaml:"type"`
	Spec            map[string]any `yaml:"spec"`
}

type serviceSpec struct {
	Description string `yaml:"description"`
}

type dataSourceSpec struct {
	Description       string `yaml:"description"`
	Type              string `yaml:"type"`
	ConnectionDetails any    `yaml:"connectionDetails"`
}

type alertPolicySpec struct {
	Description         string           `yaml:"description"`
	AlertWhenNoData     bool             `yaml:"alertWhenNoData"`
	AlertWhenResolved   bool             `yaml:"alertWhenResolved"`
	AlertWhenBreaching  bool             `yaml:"alertWhenBreaching"`
	Conditions          []conditionOrRef `yaml:"conditions"`
	NotificationTargets []targetOrRef    `yaml:"notificationTargets"`
}

type conditionOrRef struct {
	ConditionRef string             `yaml:"conditionRef"`
	Kind         string             `yaml:"kind"`
	Metadata     metadata           `yaml:"metadata"`
	Spec         alertConditionSpec `yaml:"spec"`
}

type targetOrRef struct {
	TargetRef string     `yaml:"targetRef"`
	Kind      string     `yaml:"kind"`
	Metadata  metadata   `yaml:"metadata"`
	Spec      targetSpec `yaml:"spec"`
}

type alertConditionSpec struct {
	Description string    `yaml:"description"`
	Severity    string    `yaml:"severity"`
	Condition   condition `yaml:"condition"`
}

type condition struct {
	Kind           string    `yaml:"kind"`
	Op             string    `yaml:"op"`
	Threshold      *number   `yaml:"threshold"`
	LookbackWindow shorthand `yaml:"lookbackWindow"`
	AlertAfter     shorthand `yaml:"alertAfter"`
}

type targetSpec struct {
	Description string `yaml:"description"`
	Target      string `yaml:"target"`
}

// values are a label's: one or several.
type values []string

// UnmarshalYAML takes a string or a list of them.
func (v *values) UnmarshalYAML(node ast.Node) error {
	switch n := node.(type) {
	case *ast.StringNode:
		*v = values{n.Value}
		return nil
	case *ast.SequenceNode:
		for _, item := range n.Values {
			text, is := item.(*ast.StringNode)
			if !is {
				return &strictyaml.ValueError{Node: item, Message: "a label's value is a string: put it in quotes"}
			}
			*v = append(*v, text.Value)
		}
		return nil
	}
	return &strictyaml.ValueError{Node: node, Message: "a label's value is a string, or a list of strings: put it in quotes"}
}

// number is a finite one: YAML has .nan and .inf as well.
type number float64

// UnmarshalYAML takes an integer or a float.
func (f *number) UnmarshalYAML(node ast.Node) error {
	parsed, err := strconv.ParseFloat(node.String(), 64)
	_, text := node.(*ast.StringNode)
	if err != nil || text || math.IsNaN(parsed) || math.IsInf(parsed, 0) {
		return &strictyaml.ValueError{Node: node, Message: fmt.Sprintf("not a number: %s", node)}
	}
	*f = number(parsed)
	return nil
}

// shorthand is OpenSLO's duration-shorthand: a positive integer and one of m h d w M Q Y. Months are 30 days, quarters
// 90, years 365: a rolling period has no calendar.
type shorthand struct {
	time.Duration
}

var shorthandPattern = regexp.MustCompile(`^([0-9]{1,6})([mhdwMQY])$`)

var units = map[string]time.Duration{
	"m": time.Minute, "h": time.Hour, "d": day, "w": 7 * day, "M": 30 * day, "Q": 90 * day, "Y": 365 * day,
}

const day = 24 * time.Hour

// longest fits into a time.Duration with room to spare.
const longest = 100 * 365 * day

// UnmarshalYAML takes the shorthand, and a bare number as minutes, which OpenSLO allows for slices.
func (s *shorthand) UnmarshalYAML(node ast.Node) error {
	text := node.String()
	if quoted, is := node.(*ast.StringNode); is {
		text = quoted.Value
	}
	if _, is := node.(*ast.IntegerNode); is {
		text += "m"
	}
	parts := shorthandPattern.FindStringSubmatch(text)
	if parts == nil {
		return &strictyaml.ValueError{Node: node, Message: fmt.Sprintf(
			"not a duration: %s: write a whole number and one of m (minutes), h, d, w, M (months), Q (quarters), Y, like 30d", node)}
	}
	count, err := strconv.Atoi(parts[1])
	if err != nil || count == 0 || time.Duration(count) > longest/units[parts[2]] {
		return &strictyaml.ValueError{Node: node, Message: fmt.Sprintf("not a duration: %s: longer than nothing, and at most 100 years", node)}
	}
	s.Duration = time.Duration(count) * units[parts[2]]
	return nil
}
