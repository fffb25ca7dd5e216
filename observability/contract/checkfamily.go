package contract

import (
	"maps"
	"regexp"
	"slices"
	"strings"
)

// checkFamily holds one family of one page against its metric.
func (c Contract) checkFamily(r *report, m Metric, f Family) {
	name := m.prometheus
	if f.Type != m.Type {
		r.add(WrongType, name, "%s emits %s as a %s, the contract says %s: change one of them, and the queries that use it",
			r.where, name, f.Type, m.Type)
	}
	if m.MaxSeries > 0 && len(f.Series) > m.MaxSeries {
		r.add(Cardinality, name, "%s has %d series of %s on one page, the contract allows %d: drop a label, or raise max_series",
			r.where, len(f.Series), name, m.MaxSeries)
	}
	c.checkLabelNames(r, m, f)
	for _, attribute := range slices.Concat(m.Labels, m.MayHave) {
		c.checkValues(r, m, f, attribute)
	}
}

func (c Contract) checkLabelNames(r *report, m Metric, f Family) {
	required, allowed := labelsOf(m.Labels), labelsOf(m.Labels, m.MayHave)
	for _, series := range f.Series {
		for _, name := range required {
			if _, there := series[name]; !there {
				r.add(WrongLabel, part(m, name), "%s emits %s without its label %s: set it, or move it to may_have",
					r.where, m.prometheus, name)
			}
		}
		for name := range series {
			if slices.Contains(allowed, name) {
				continue
			}
			r.add(WrongLabel, part(m, name), "%s emits %s with the label %s, which the contract does not list: add it, with a bound, or take it out",
				r.where, m.prometheus, name)
			if value, found := firstID(f.values(name)); found {
				r.add(Cardinality, part(m, name), "%s emits %s with ids in the label %s (%s), so its series grow without bound: put ids on spans and logs",
					r.where, m.prometheus, name, value)
			}
		}
	}
}

// checkValues holds one label's values on one page against its bound.
func (c Contract) checkValues(r *report, m Metric, f Family, attribute string) {
	name, values := label(attribute), f.values(label(attribute))
	if closed, is := c.closed(m, attribute); is {
		c.checkClosed(r, m, attribute, values, closed)
		return
	}
	a := c.Attributes[attribute]
	if len(values) > a.Max {
		r.add(Cardinality, part(m, name), "%s has %d values of the label %s on %s, the contract allows %d: merge them, or raise max",
			r.where, len(values), name, m.prometheus, a.Max)
	}
	if a.Pattern == "" {
		if value, found := firstID(values); found {
			r.add(Cardinality, part(m, name), "%s emits %s with ids in the label %s (%s), so its series grow without bound: put ids on spans and logs",
				r.where, m.prometheus, name, value)
		}
		return
	}
	pattern := regexp.MustCompile("^(?:" + a.Pattern + ")$")
	for _, value := range values {
		if !pattern.MatchString(value) {
			r.add(Cardinality, part(m, name), "%s emits %s with %s=%q, which is not like %s: mend it, or the pattern",
				r.where, m.prometheus, name, value, a.Pattern)
		}
	}
}

func (c Contract) checkClosed(r *report, m Metric, attribute string, values, closed []string) {
	name := label(attribute)
	for _, value := range values {
		if !slices.Contains(closed, value) {
			r.add(Cardinality, part(m, name), "%s emits %s with %s=%q, which is none of %s: add it to the values, or mend it",
				r.where, m.prometheus, name, value, strings.Join(closed, ", "))
		}
	}
	if !m.FromZero || !slices.Contains(m.Labels, attribute) {
		return
	}
	for _, value := range closed {
		if !slices.Contains(values, value) {
			r.add(WrongLabel, part(m, name), "%s has no %s with %s=%q: export it as 0 from the start, else rate() misses its first step",
				r.where, m.prometheus, name, value)
		}
	}
}

// checkExemplars asks for one exemplar among all replicas, if anything was measured at all.
func checkExemplars(r *report, m Metric, families []Family) {
	var measured float64
	leading, broken := 0, 0
	for _, f := range families {
		measured += f.Observations
		leading += f.Exemplars
		broken += f.Broken
	}
	if broken > 0 {
		r.add(NoExemplar, m.prometheus, "%s emits %s with exemplars that have no trace_id: they lead nowhere", r.where, m.prometheus)
	}
	if slices.Contains(m.Exemplars, r.where) && measured > 0 && leading == 0 {
		r.add(NoExemplar, m.prometheus, "%s emits %s without exemplars: measure it with the context of a sampled span",
			r.where, m.prometheus)
	}
}

func part(m Metric, label string) string { return m.prometheus + "{" + label + "}" }

// values are a label's distinct values, sorted.
func (f Family) values(label string) []string {
	set := map[string]bool{}
	for _, series := range f.Series {
		if value, there := series[label]; there {
			set[value] = true
		}
	}
	return slices.Sorted(maps.Keys(set))
}

// idLike are what ids look like: a UUID, sixteen hexadecimal digits of which one is a digit, or eight digits in a row.
var idLike = regexp.MustCompile(`(?i)[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9]{8}`)

var longHex = regexp.MustCompile(`(?i)[0-9a-f]{16,}`)

func firstID(values []string) (string, bool) {
	at := slices.IndexFunc(values, func(value string) bool {
		return idLike.MatchString(value) || strings.ContainsAny(longHex.FindString(value), "0123456789")
	})
	if at < 0 {
		return "", false
	}
	return values[at], true
}
