package model

import (
	"fmt"
	"slices"
	"time"

	"github.com/prometheus/prometheus/promql/parser"
)

// counters says whether rate() can be put around each selector of an expression without changing what it counts: sums,
// and sums and differences of sums.
func counters(expr parser.Expr) error {
	switch e := expr.(type) {
	case *parser.VectorSelector:
		return nil
	case *parser.ParenExpr:
		return counters(e.Expr)
	case *parser.AggregateExpr:
		if e.Op == parser.SUM {
			return counters(e.Expr)
		}
	case *parser.BinaryExpr:
		if e.Op == parser.ADD || e.Op == parser.SUB || e.Op == parser.LOR {
			if err := counters(e.LHS); err != nil {
				return err
			}
			return counters(e.RHS)
		}
	}
	return fmt.Errorf("with counter: true the query must be a counter, or a sum of counters, and %q is neither: "+
		"write {{.window}} where its window goes, as in sum(rate(requests_total[{{.window}}])), or counter: false when it goes up and down", expr)
}

// rated puts rate() around each selector. The expression is one that counters() takes.
func rated(expr parser.Expr, window time.Duration) parser.Expr {
	switch e := expr.(type) {
	case *parser.VectorSelector:
		inner := *e
		return &parser.Call{
			Func: parser.Functions["rate"],
			Args: parser.Expressions{&parser.MatrixSelector{VectorSelector: &inner, Range: window}},
		}
	case *parser.ParenExpr:
		return &parser.ParenExpr{Expr: rated(e.Expr, window)}
	case *parser.AggregateExpr:
		copied := *e
		copied.Expr = rated(e.Expr, window)
		return &copied
	case *parser.BinaryExpr:
		copied := *e
		copied.LHS, copied.RHS = rated(e.LHS, window), rated(e.RHS, window)
		return &copied
	}
	return expr
}

// amounts says that an expression with a window gives how many there were in it, and not how many a second.
func amounts(expr parser.Expr) bool {
	found := false
	parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
		if call, is := node.(*parser.Call); is {
			found = found || slices.Contains([]string{"increase", "sum_over_time", "count_over_time"}, call.Func.Name)
		}
		return nil
	})
	return found
}

// choosing aggregations keep the series they choose.
var choosing = []parser.ItemType{parser.TOPK, parser.BOTTOMK, parser.LIMITK, parser.LIMIT_RATIO, parser.COUNT_VALUES}

// single says that an expression has one series at most, without labels. What it cannot tell is not single.
func single(expr parser.Expr) bool {
	switch e := expr.(type) {
	case *parser.AggregateExpr:
		return len(e.Grouping) == 0 && !e.Without && !slices.Contains(choosing, e.Op)
	case *parser.ParenExpr:
		return single(e.Expr)
	case *parser.StepInvariantExpr:
		return single(e.Expr)
	case *parser.UnaryExpr:
		return single(e.Expr)
	case *parser.SubqueryExpr:
		return single(e.Expr)
	case *parser.NumberLiteral:
		return true
	case *parser.BinaryExpr:
		return single(e.LHS) && single(e.RHS)
	case *parser.Call:
		switch e.Func.Name {
		case "vector", "scalar", "time", "pi":
			return true
		case "label_replace", "label_join", "absent", "absent_over_time":
			return false
		case "histogram_quantile":
			if by, is := e.Args[1].(*parser.AggregateExpr); is && !by.Without && slices.Equal(by.Grouping, []string{"le"}) {
				return true // it takes le away
			}
		}
		return len(e.Args) > 0 && !slices.ContainsFunc(e.Args, func(argument parser.Expr) bool { return !single(argument) })
	}
	return false
}
