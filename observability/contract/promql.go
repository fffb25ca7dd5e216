package contract

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

// targetLabels are put on every series when it is scraped.
var targetLabels = []string{"job", "instance", "version"}

// CheckPromQL holds a query against the contract: each metric must exist, each label that it matches, groups or joins
// by must be on the metrics behind it, and a value it asks for must be one that the label can have. Recorded are the
// names that recording rules make; what their labels are is not known here.
func (c Contract) CheckPromQL(expr string, recorded ...string) error {
	parsed, err := parser.ParseExpr(expr)
	if err != nil {
		return fmt.Errorf("%s: %w", expr, err)
	}
	q := queryCheck{contract: c, recorded: recorded}
	q.labels(parsed)
	if len(q.errs) > 0 {
		return fmt.Errorf("%s: %w", expr, errors.Join(q.errs...))
	}
	return nil
}

// queryCheck walks an expression from the selectors outwards and knows which labels a result can have.
type queryCheck struct {
	contract Contract
	recorded []string
	errs     []error
}

// labelSet is the labels that a result can have; nil when any may be there.
type labelSet map[string]bool

func setOf(names ...string) labelSet {
	set := labelSet{}
	for _, name := range names {
		set[name] = true
	}
	return set
}

func (s labelSet) union(other labelSet) labelSet {
	if s == nil || other == nil {
		return nil
	}
	all := maps.Clone(s)
	maps.Copy(all, other)
	return all
}

func (q *queryCheck) errorf(format string, args ...any) {
	q.errs = append(q.errs, fmt.Errorf(format, args...))
}

// need reports labels that cannot be there.
func (q *queryCheck) need(doing string, names []string, in labelSet, on parser.Node) {
	for _, name := range names {
		if in != nil && !in[name] {
			q.errorf("%s %s: no such label on %s (it has %s)", doing, name, on, strings.Join(slices.Sorted(maps.Keys(in)), ", "))
		}
	}
}

// labels is the set of a node; scalars and strings have none.
func (q *queryCheck) labels(node parser.Node) labelSet {
	switch n := node.(type) {
	case *parser.VectorSelector:
		return q.selector(n)
	case *parser.AggregateExpr:
		return q.aggregate(n)
	case *parser.BinaryExpr:
		return q.binary(n)
	case *parser.Call:
		return q.call(n)
	}
	set := setOf()
	for child := range parser.ChildrenIter(node) {
		set = set.union(q.labels(child))
	}
	return set
}

func (q *queryCheck) aggregate(n *parser.AggregateExpr) labelSet {
	in := q.labels(n.Expr)
	if n.Param != nil {
		q.labels(n.Param)
	}
	if n.Without {
		out := maps.Clone(in)
		for _, name := range n.Grouping {
			delete(out, name)
		}
		return out
	}
	q.need("by", n.Grouping, in, n.Expr)
	if n.Op == parser.TOPK || n.Op == parser.BOTTOMK || n.Op == parser.LIMITK || n.Op == parser.LIMIT_RATIO {
		return in // they choose series and keep their labels
	}
	out := setOf(n.Grouping...)
	if name, is := n.Param.(*parser.StringLiteral); is { // count_values puts its value into a label
		out[name.Val] = true
	}
	return out
}

func (q *queryCheck) binary(n *parser.BinaryExpr) labelSet {
	left, right := q.labels(n.LHS), q.labels(n.RHS)
	m := n.VectorMatching
	if m == nil {
		return left.union(right) // one of them is a scalar, without labels
	}
	if m.On {
		q.need("on", m.MatchingLabels, left, n.LHS)
		q.need("on", m.MatchingLabels, right, n.RHS)
	}
	switch m.Card {
	case parser.CardManyToOne:
		q.need("group_left", m.Include, right, n.RHS)
		return left.union(setOf(m.Include...))
	case parser.CardOneToMany:
		q.need("group_right", m.Include, left, n.LHS)
		return right.union(setOf(m.Include...))
	}
	if n.Op == parser.LOR {
		return left.union(right)
	}
	if m.On && !n.Op.IsSetOperator() {
		return setOf(m.MatchingLabels...)
	}
	return left
}

// call is a function's: most hand on what they get.
func (q *queryCheck) call(n *parser.Call) labelSet {
	set := setOf()
	for _, argument := range n.Args {
		set = set.union(q.labels(argument))
	}
	switch n.Func.Name {
	case "histogram_quantile":
		q.need("histogram_quantile over", []string{labels.BucketLabel}, set, n.Args[1])
	case "label_replace", "label_join":
		if name, is := n.Args[1].(*parser.StringLiteral); is {
			return set.union(setOf(name.Val))
		}
	case "absent", "absent_over_time", "vector", "scalar", "time":
		return setOf()
	}
	return set
}
