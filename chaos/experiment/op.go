package experiment

import (
	"fmt"
	"math"

	"github.com/goccy/go-yaml/ast"

	"github.com/faultline-lab/faultline/observability/strictyaml"
)

// Op compares a value with a threshold: < <= > >= == !=.
type Op string

// ops is every comparison there is.
var ops = map[Op]func(value, threshold float64) bool{
	"<":  func(v, t float64) bool { return v < t },
	"<=": func(v, t float64) bool { return v <= t },
	">":  func(v, t float64) bool { return v > t },
	">=": func(v, t float64) bool { return v >= t },
	"==": func(v, t float64) bool { return v == t },
	"!=": func(v, t float64) bool { return v != t },
}

// UnmarshalYAML refuses an operator that there is not.
func (o *Op) UnmarshalYAML(node ast.Node) error {
	text, ok := node.(*ast.StringNode)
	if !ok || ops[Op(text.Value)] == nil {
		return &strictyaml.ValueError{Node: node, Message: fmt.Sprintf(`not a comparison: %s: there are "<", "<=", ">", ">=", "==", "!="`, node.String())}
	}
	*o = Op(text.Value)
	return nil
}

// Holds compares each value with the threshold. No value at all, or one that is not a number (0/0), is unknown: it does
// not hold.
func (c Condition) Holds(values []float64) bool {
	for _, value := range values {
		if math.IsNaN(value) || !ops[c.Op](value, c.Threshold) {
			return false
		}
	}
	return len(values) > 0
}
