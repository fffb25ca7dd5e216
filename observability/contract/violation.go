package contract

import (
	"cmp"
	"fmt"
	"slices"
)

// Kind says what sort of promise was broken.
type Kind string

// The kinds of violations. WrongSpan is about a span that the contract lists: its kind, parent or attributes; WrongField
// likewise about a log record: its level, trace or fields.
const (
	Missing     Kind = "missing"
	Extra       Kind = "extra"
	WrongUnit   Kind = "unit"
	WrongType   Kind = "type"
	WrongLabel  Kind = "label"
	Cardinality Kind = "cardinality"
	NoExemplar  Kind = "exemplar"
	WrongSpan   Kind = "attribute"
	WrongField  Kind = "field"
)

// Violation is one difference between the contract and what was seen.
type Violation struct {
	Kind Kind
	// Where is the program.
	Where string
	// What is the metric (foo_total, or foo_total{label} where it is about one label), the span or the message.
	What string
	// Hint is a sentence that says what is wrong, and what to do.
	Hint string
}

// String is the kind and the hint, which names place and thing itself.
func (v Violation) String() string { return string(v.Kind) + ": " + v.Hint }

// report gathers violations of one program.
type report struct {
	where string
	found []Violation
}

func (r *report) add(kind Kind, what, format string, args ...any) {
	r.found = append(r.found, Violation{Kind: kind, Where: r.where, What: what, Hint: fmt.Sprintf(format, args...)})
}

// tidy sorts violations and keeps one of each: what is wrong on two replicas, or on a thousand spans, is one fault.
func tidy(all []Violation) []Violation {
	slices.SortFunc(all, func(a, b Violation) int {
		return cmp.Or(cmp.Compare(a.Where, b.Where), cmp.Compare(a.What, b.What), cmp.Compare(a.Kind, b.Kind),
			cmp.Compare(a.Hint, b.Hint))
	})
	return slices.CompactFunc(all, func(a, b Violation) bool {
		return a.Where == b.Where && a.What == b.What && a.Kind == b.Kind
	})
}

// due says whether what is seen then must have been seen by now.
func (o Observed) due(seen Seen) bool { return seen == Always || slices.Contains(o.Happened, seen) }
