package contract

import (
	"slices"
	"strings"
)

// CheckSpans holds the spans against the contract.
func (c Contract) CheckSpans(o Observed) []Violation {
	seen := map[string]map[int]bool{} // by program: which of its spans
	var all []Violation
	for _, span := range o.Spans {
		r := report{where: span.Program}
		if seen[span.Program] == nil {
			seen[span.Program] = map[int]bool{}
		}
		if i, found := c.spanOf(&r, span); found {
			seen[span.Program][i] = true
			c.checkSpan(&r, c.Spans[i], span)
		}
		all = append(all, r.found...)
	}
	for _, program := range c.names(func(p Program) bool { return slices.Contains(p.Targets, o.Target) }) {
		r := report{where: program}
		c.missingSpans(&r, o, seen[program])
		all = append(all, r.found...)
	}
	return tidy(all)
}

// spanOf finds the contract's entry; one without placeholders is meant before one with, and the right kind before
// another.
func (c Contract) spanOf(r *report, span ObservedSpan) (int, bool) {
	best, score := -1, -1
	var names []string
	for i, s := range c.Spans {
		if !slices.Contains(s.Programs, span.Program) {
			continue
		}
		names = append(names, s.Name)
		if !c.named(s, span.Name) {
			continue
		}
		points := 0
		if s.Kind == span.Kind {
			points += 2
		}
		if s.Name == span.Name {
			points++
		}
		if points > score {
			best, score = i, points
		}
	}
	if best >= 0 {
		return best, true
	}
	hint := "add it to telemetry.yaml or take it out"
	if near, found := nearest(span.Name, names); found {
		hint = "is it " + near + " under another name?"
	}
	r.add(Extra, "span "+span.Name, "%s makes a span %q, which the contract does not list: %s", r.where, span.Name, hint)
	return 0, false
}

// named says whether a span's name is the entry's. A word in place of a placeholder is one of the attribute's values,
// if they are closed.
func (c Contract) named(s Span, name string) bool {
	words := strings.Split(name, " ")
	if len(words) != len(s.words) {
		return false
	}
	for i, word := range s.words {
		if word.attribute == "" {
			if word.text != words[i] {
				return false
			}
			continue
		}
		if values := c.Attributes[word.attribute].Values; len(values) > 0 && !slices.Contains(values, words[i]) {
			return false
		}
	}
	return true
}

func (c Contract) checkSpan(r *report, s Span, span ObservedSpan) {
	what := "span " + s.Name
	if span.Kind != s.Kind {
		r.add(WrongSpan, what+" kind", "%s makes the span %q of kind %s, the contract says %s", r.where, span.Name, span.Kind, s.Kind)
	}
	if span.Parent == NoParent && !s.Root {
		r.add(WrongSpan, what+" parent", "%s begins a trace with the span %q (trace %s): hand it the context of its caller, or say root: true",
			r.where, span.Name, span.TraceID)
	}
	if span.Parent == ParentLost {
		r.add(WrongSpan, what+" parent", "the parent of the span %q of %s is not in its trace (%s): it was lost, or has not come yet",
			span.Name, r.where, span.TraceID)
	}
	for _, name := range s.Attributes {
		if _, there := span.Attributes[name]; !there {
			r.add(WrongSpan, what+" "+name, "%s makes the span %q without %s: set it, or move it to may_have", r.where, span.Name, name)
		}
	}
	for name, value := range span.Attributes {
		if !slices.Contains(s.Attributes, name) && !slices.Contains(s.MayHave, name) {
			r.add(WrongSpan, what+" "+name, "%s sets %s on the span %q, which the contract does not list: add it or take it out",
				r.where, name, span.Name)
			continue
		}
		if values := c.Attributes[name].Values; len(values) > 0 && !slices.Contains(values, value) {
			r.add(WrongSpan, what+" "+name, "%s sets %s=%q on the span %q, which is none of %s",
				r.where, name, value, span.Name, strings.Join(values, ", "))
		}
	}
}

func (c Contract) missingSpans(r *report, o Observed, seen map[int]bool) {
	for i, s := range c.Spans {
		if slices.Contains(s.Programs, r.where) && o.due(s.Seen) && !seen[i] {
			r.add(Missing, "span "+s.Name, "%s made no span %q, which the contract lists as seen: %s", r.where, s.Name, s.Seen)
		}
	}
}
