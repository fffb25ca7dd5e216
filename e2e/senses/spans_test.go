package senses

import (
	"fmt"
	"slices"
	"strings"

	"github.com/faultline-lab/faultline/observability/query"
)

// hop is a span that a trace must have, by its program and its kind. An empty name is any, and a name that ends in * is a
// beginning.
type hop struct {
	service string
	kind    query.SpanKind
	name    string
}

func (h hop) String() string { return fmt.Sprintf("%s's %s span %q", h.service, h.kind, h.name) }

func (h hop) is(span query.Span) bool {
	if span.Service != h.service || span.Kind != h.kind {
		return false
	}
	if start, any := strings.CutSuffix(h.name, "*"); any {
		return strings.HasPrefix(span.Name, start)
	}
	return h.name == "" || span.Name == h.name
}

// path finds spans that hang from one another as the hops say, the first from the trace's root at any depth, each next one from
// the span before it at any depth, and returns the last.
func path(trace query.Trace, hops ...hop) (query.Span, error) {
	for _, span := range trace.Spans {
		if lies(trace, span, hops) {
			return span, nil
		}
	}
	if len(hops) > 1 {
		if _, err := path(trace, hops[:len(hops)-1]...); err != nil {
			return query.Span{}, err
		}
	}
	return query.Span{}, fmt.Errorf("trace %s lacks %s below %v; it has:\n%s", trace.ID, hops[len(hops)-1], hops[:len(hops)-1], outline(trace))
}

// lies says whether the span is the last of the hops, and the others are above it in their order.
func lies(trace query.Trace, span query.Span, hops []hop) bool {
	last := len(hops) - 1
	if !hops[last].is(span) {
		return false
	}
	wanted := hops[:last]
	for len(wanted) > 0 {
		parent, known := spanByID(trace, span.ParentID)
		if !known {
			return false
		}
		if wanted[len(wanted)-1].is(parent) {
			wanted = wanted[:len(wanted)-1]
		}
		span = parent
	}
	return true
}

func spanByID(trace query.Trace, id string) (query.Span, bool) {
	at := slices.IndexFunc(trace.Spans, func(span query.Span) bool { return span.ID == id })
	if id == "" || at < 0 {
		return query.Span{}, false
	}
	return trace.Spans[at], true
}

// outline is a trace in words.
func outline(trace query.Trace) string {
	var out strings.Builder
	for _, span := range trace.Spans {
		depth := 0
		for parent, known := spanByID(trace, span.ParentID); known && depth < len(trace.Spans); parent, known = spanByID(trace, parent.ParentID) {
			depth++
		}
		fmt.Fprintf(&out, "%s%s %s %q %s\n", strings.Repeat("  ", depth+1), span.Service, span.Kind, span.Name, span.Duration)
	}
	return out.String()
}
