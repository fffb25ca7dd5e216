package model

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql/parser"
)

// Query is a PromQL expression of an indicator. It either says itself where a window goes, as {{.window}}, or it does
// not, and then gets one: a counter by rate(), a value by being sampled. Make one with NewCounter or NewValue.
type Query struct {
	text     string
	windowed bool
}

var placeholder = regexp.MustCompile(`\{\{\s*\.window\s*\}\}`)

// any window will do to see whether a query is PromQL.
const sampleWindow = 5 * time.Minute

// NewCounter makes the query of a ratio whose parts count for ever. Without {{.window}} it must be a counter, or a sum of
// counters, so that rate() can be put around each.
func NewCounter(text string) (Query, error) {
	q, expr, err := newQuery(text)
	if err != nil || q.windowed {
		return q, err
	}
	return q, counters(expr)
}

// NewValue makes the query of something that goes up and down. Many series are summed when it is a part of a ratio.
func NewValue(text string) (Query, error) {
	q, _, err := newQuery(text)
	return q, err
}

// NewSingle makes the query of one number: a ratio that is there already, or a value with a bound. It must be one series,
// for many have no ratio in common that anybody has defined.
func NewSingle(text string) (Query, error) {
	q, expr, err := newQuery(text)
	if err == nil && !single(expr) {
		err = errors.New("the query may have many series, and nobody says which of them counts: aggregate it, for example with max(...)")
	}
	return q, err
}

func newQuery(text string) (Query, parser.Expr, error) {
	q := Query{text: strings.TrimSpace(text), windowed: placeholder.MatchString(text)}
	if q.text == "" {
		return q, nil, errors.New("the query is empty: write PromQL")
	}
	rendered := q.Over(sampleWindow)
	if strings.Contains(rendered, "{{") {
		return q, nil, errors.New("the query has a {{...}} that is not {{.window}}: that is the only one there is")
	}
	expr, err := parser.ParseExpr(rendered)
	if err != nil {
		return q, nil, fmt.Errorf("the query is not PromQL: %w", err)
	}
	if kind := expr.Type(); kind != parser.ValueTypeVector {
		return q, nil, fmt.Errorf("the query gives a %s: an instant vector is needed", parser.DocumentedType(kind))
	}
	return q, expr, nil
}

// Text is the query as it was written.
func (q Query) Text() string { return q.text }

// Windowed says that the query has a place for the window.
func (q Query) Windowed() bool { return q.windowed }

// Over is the query with its window filled in.
func (q Query) Over(window time.Duration) string {
	return placeholder.ReplaceAllLiteralString(q.text, Duration(window))
}

// Rate is one number: events a second, as a mean over a window.
func (q Query) Rate(window time.Duration) string {
	text := q.Over(window)
	expr, err := parser.ParseExpr(text)
	if err != nil {
		return text // what was made by NewCounter parses
	}
	if !q.windowed {
		expr = rated(expr, window)
		text = expr.String()
	}
	one := oneNumber(expr, text)
	if amounts(expr) {
		return fmt.Sprintf("(%s / %s)", one, Number(window.Seconds()))
	}
	return one
}

// Value is one number: the value of this moment.
func (q Query) Value() string {
	expr, err := parser.ParseExpr(q.text)
	if err != nil {
		return q.text
	}
	return oneNumber(expr, q.text)
}

// oneNumber sums what may be several series, and keeps what is one together.
func oneNumber(expr parser.Expr, text string) string {
	if !single(expr) {
		return "sum(" + text + ")"
	}
	if _, binary := expr.(*parser.BinaryExpr); binary {
		return "(" + text + ")"
	}
	return text
}

// Number writes a number without an exponent.
func Number(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }

// Duration writes a duration as Prometheus does: 30s, 5m, 1d.
func Duration(d time.Duration) string { return model.Duration(d).String() }
