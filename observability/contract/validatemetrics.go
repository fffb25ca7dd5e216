package contract

import (
	"fmt"
	"maps"
	"slices"
)

var types = []string{string(Counter), string(Gauge), string(Histogram)}

func (v *validator) metrics() {
	names := map[string]bool{}
	for i := range v.c.Metrics {
		m := &v.c.Metrics[i]
		at := fmt.Sprintf("$.metrics[%d]", i)
		v.about(at, m.About)
		v.emitters(at, m.Programs, m.Seen)
		v.pages(at, m.Programs)
		v.exceptions(at, m)
		v.oneOf(at+".type", "type", []string{string(m.Type)}, types)
		if m.Unit == "" {
			v.errorf(at, "metric %s has no unit; one that only counts is counted in something: {order}", m.Name)
		}
		var err error
		if m.prometheus, err = prometheusName(*m); err != nil {
			v.errorf(at+".name", "%v", err)
		}
		if names[m.prometheus] {
			v.errorf(at+".name", "metric %s stands here twice", m.prometheus)
		}
		names[m.prometheus] = true
		v.labels(at, m)
	}
}

// pages refuses metrics of programs that nobody scrapes.
func (v *validator) pages(path string, programs []string) {
	for _, name := range programs {
		if p, known := v.c.Programs[name]; known && !p.Scraped {
			v.errorf(path+".programs", "program %s is not scraped, so it has no metrics", name)
		}
	}
}

// exceptions are for programs that emit the metric, else they mean nothing.
func (v *validator) exceptions(path string, m *Metric) {
	for _, program := range slices.Sorted(maps.Keys(m.SeenBy)) {
		v.oneOf(path+".seen_by", "seen", []string{string(m.SeenBy[program])}, moments)
		v.oneOf(path+".seen_by", "program", []string{program}, m.Programs)
	}
	v.oneOf(path+".exemplars", "program", m.Exemplars, m.Programs)
}

func (v *validator) labels(path string, m *Metric) {
	all := slices.Concat(m.Labels, m.MayHave)
	v.bounded(path+".labels", m, m.Labels)
	v.bounded(path+".may_have", m, m.MayHave)
	for _, name := range slices.Sorted(maps.Keys(m.Values)) {
		if !slices.Contains(all, name) {
			v.errorf(path+".values", "metric %s has no label %s", m.Name, name)
		}
	}
	if !m.FromZero {
		return
	}
	for _, name := range m.Labels {
		if _, closed := v.c.closed(*m, name); !closed && v.c.Attributes[name].Max != 1 {
			v.errorf(path+".from_zero", "label %s of %s is not closed, so its values cannot all be there from the start",
				name, m.Name)
		}
	}
}

// bounded refuses labels that could have any value.
func (v *validator) bounded(path string, m *Metric, labels []string) {
	v.known(path, labels)
	for _, name := range labels {
		if a, known := v.c.Attributes[name]; known && len(m.Values[name]) == 0 && len(a.Values) == 0 && a.Max == 0 {
			v.errorf(path, "label %s of %s has no bound: give the attribute values or max, or the metric values", name, m.Name)
		}
	}
}

func (v *validator) stack() {
	for i, m := range v.c.Stack {
		at := fmt.Sprintf("$.stack[%d]", i)
		if m.Name == "" {
			v.errorf(at, "a metric without a name")
		}
		v.about(at, m.About)
		v.oneOf(at+".type", "type", []string{string(m.Type)}, types)
	}
}

// closed is the list of all values that a metric's label can have, if there is one.
func (c Contract) closed(m Metric, attribute string) ([]string, bool) {
	if own := m.Values[attribute]; len(own) > 0 {
		return own, true
	}
	values := c.Attributes[attribute].Values
	return values, len(values) > 0
}
