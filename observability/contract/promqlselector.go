package contract

import (
	"slices"
	"strings"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

// selector finds the metric and holds its matchers against it.
func (q *queryCheck) selector(n *parser.VectorSelector) labelSet {
	switch {
	case n.Name == "":
		q.errorf("%s: name the metric, else nobody can say what it will be", n)
		return nil
	case slices.Contains(q.recorded, n.Name):
		return nil
	}
	if m, found := q.contract.stackMetric(n.Name); found {
		set := setOf(slices.Concat(targetLabels, m.Labels)...)
		q.matchers(n, set, func(name string) []string { return known(name == "job", m.Jobs) })
		return set
	}
	m, suffix, found := q.contract.metricOf(n.Name)
	if !found {
		q.errorf("%s: %s", n.Name, q.contract.unknown(n.Name))
		return nil
	}
	set := setOf(slices.Concat(targetLabels, labelsOf(m.Labels, m.MayHave))...)
	if suffix == "_bucket" {
		set[labels.BucketLabel] = true
	}
	q.matchers(n, set, func(name string) []string {
		if name == "job" {
			return m.Programs
		}
		for _, attribute := range slices.Concat(m.Labels, m.MayHave) {
			if label(attribute) == name {
				values, _ := q.contract.closed(m, attribute)
				return values
			}
		}
		return nil
	})
	return set
}

func known(is bool, values []string) []string {
	if is {
		return values
	}
	return nil
}

// matchers checks that the labels exist and that some value can match. No values means that any can.
func (q *queryCheck) matchers(n *parser.VectorSelector, set labelSet, values func(string) []string) {
	for _, m := range n.LabelMatchers {
		if m.Name == model.MetricNameLabel {
			continue
		}
		q.need("matching by", []string{m.Name}, set, n)
		if m.Type != labels.MatchEqual && m.Type != labels.MatchRegexp || m.Matches("") {
			continue
		}
		if can := values(m.Name); len(can) > 0 && !slices.ContainsFunc(can, m.Matches) {
			q.errorf("%s: nothing can match %s: %s is one of %s", n.Name, m, m.Name, strings.Join(can, ", "))
		}
	}
}

// metricOf finds a metric by the name in a query: that of a histogram's buckets, count or sum, or its own.
func (c Contract) metricOf(name string) (m Metric, suffix string, found bool) {
	for _, m := range c.Metrics {
		if m.Type != Histogram && m.prometheus == name {
			return m, "", true
		}
		for _, suffix := range []string{"_bucket", "_count", "_sum"} {
			if m.Type == Histogram && m.prometheus+suffix == name {
				return m, suffix, true
			}
		}
	}
	return Metric{}, "", false
}

func (c Contract) stackMetric(name string) (StackMetric, bool) {
	at := slices.IndexFunc(c.Stack, func(m StackMetric) bool {
		if m.Type == Histogram {
			return slices.Contains([]string{m.Name + "_bucket", m.Name + "_count", m.Name + "_sum"}, name)
		}
		return m.Name == name
	})
	if at < 0 {
		return StackMetric{}, false
	}
	m := c.Stack[at]
	if m.Type == Histogram && strings.HasSuffix(name, "_bucket") {
		m.Labels = append(slices.Clone(m.Labels), labels.BucketLabel)
	}
	return m, true
}

// unknown says why a name is not in the contract, as well as can be guessed.
func (c Contract) unknown(name string) string {
	var names []string
	for _, m := range c.Metrics {
		if m.Type == Histogram && m.prometheus == name {
			return "a histogram is asked for by its _bucket, _count or _sum"
		}
		names = append(names, m.prometheus)
	}
	for _, m := range c.Stack {
		names = append(names, m.Name)
	}
	if near, found := nearest(name, names); found {
		return "no such metric in the contract; did you mean " + near + "?"
	}
	return "no such metric in the contract"
}
