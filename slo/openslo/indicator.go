package openslo

import (
	"strings"

	"github.com/faultline-lab/faultline/observability/strictyaml"
	"github.com/faultline-lab/faultline/slo/model"
)

// indicator finds an SLO's indicator, in place or by its name, and reads its queries. Their places go to the SLO.
func (r *reader) indicator(found at[object[sloSpec]], slo *model.SLO) model.Indicator {
	d, spec := found.Document, found.object.Spec
	switch {
	case spec.Indicator != nil && spec.IndicatorRef != "":
		r.add(d.Errorf("$.spec.indicatorRef", "indicator and indicatorRef: use one of them"))
	case spec.Indicator != nil:
		r.metadata(d, "$.spec.indicator.metadata", spec.Indicator.Metadata)
		slo.Places[model.AtIndicator] = d.Place("$.spec.indicator")
		return r.sli(d, "$.spec.indicator.spec", spec.Indicator.Spec, slo)
	case spec.IndicatorRef != "":
		slo.Places[model.AtIndicator] = d.Place("$.spec.indicatorRef")
		sli, there := r.slis[spec.IndicatorRef]
		if !there {
			r.add(d.Errorf("$.spec.indicatorRef", "there is no SLI %q in the files that were read: name its file too, or put the indicator in place", spec.IndicatorRef))
			return model.Indicator{}
		}
		return r.sli(sli.Document, "$.spec", sli.object.Spec, slo)
	default:
		composite := false
		for _, o := range spec.Objectives {
			composite = composite || o.Indicator != nil || o.IndicatorRef != ""
		}
		r.need(d, composite, "$.spec", "neither indicator nor indicatorRef: use one of them") // composites are refused elsewhere
	}
	return model.Indicator{}
}

func (r *reader) sli(d strictyaml.Document, path string, spec sliSpec, slo *model.SLO) model.Indicator {
	r.description(d, path+".description", spec.Description)
	switch {
	case spec.ThresholdMetric != nil && spec.RatioMetric != nil:
		r.add(d.Errorf(path, "thresholdMetric and ratioMetric: use one of them"))
	case spec.ThresholdMetric != nil:
		query := r.query(d, path+".thresholdMetric", *spec.ThresholdMetric, model.NewSingle)
		r.need(d, !query.Windowed(), path+".thresholdMetric", "a thresholdMetric is compared sample by sample and has no window: take {{.window}} out of its query")
		slo.Places[model.AtThreshold] = d.Place(path + ".thresholdMetric.metricSource.spec.query")
		return model.Indicator{Threshold: &model.Threshold{Query: query}}
	case spec.RatioMetric != nil:
		return r.ratio(d, path+".ratioMetric", *spec.RatioMetric, slo)
	default:
		r.add(d.Errorf(path, "neither thresholdMetric nor ratioMetric: use one of them"))
	}
	return model.Indicator{}
}

func (r *reader) ratio(d strictyaml.Document, path string, m ratioMetric, slo *model.SLO) model.Indicator {
	if m.Raw != nil {
		return r.raw(d, path, m, slo)
	}
	r.need(d, m.RawType == "", path+".rawType", "rawType is for raw")
	r.need(d, m.Total != nil, path, "ratioMetric needs total, or raw")
	r.need(d, m.Good == nil || m.Bad == nil, path+".bad", "good and bad: use one of them")
	r.need(d, m.Good != nil || m.Bad != nil, path, "ratioMetric needs good or bad beside total")
	ratio := &model.Ratio{Counter: m.Counter}
	read := model.NewValue
	if m.Counter {
		read = model.NewCounter
	}
	for _, part := range []struct {
		name  string
		place string
		from  *metric
		into  **model.Query
	}{{"good", model.AtGood, m.Good, &ratio.Good}, {"bad", model.AtBad, m.Bad, &ratio.Bad}, {"total", model.AtTotal, m.Total, &ratio.Total}} {
		if part.from == nil {
			continue
		}
		query := r.query(d, path+"."+part.name, *part.from, read)
		*part.into = &query
		slo.Places[part.place] = d.Place(path + "." + part.name + ".metricSource.spec.query")
	}
	r.sameWindows(d, path, ratio)
	return model.Indicator{Ratio: ratio}
}

// sameWindows refuses a ratio of which one part has a place for the window and the other has none: one would be a rate,
// and the other a value of a moment. Of counters both are rates in any case.
func (r *reader) sameWindows(d strictyaml.Document, path string, ratio *model.Ratio) {
	part := ratio.Good
	if part == nil {
		part = ratio.Bad
	}
	if part == nil || ratio.Total == nil || ratio.Counter {
		return
	}
	r.need(d, part.Windowed() == ratio.Total.Windowed(), path, "one query has {{.window}} and the other has not: use it in both or in none")
}

func (r *reader) raw(d strictyaml.Document, path string, m ratioMetric, slo *model.SLO) model.Indicator {
	r.need(d, m.Good == nil && m.Bad == nil && m.Total == nil, path, "raw is a whole ratio: remove good, bad and total, or raw")
	r.oneOf(d, path+".rawType", "rawType", m.RawType, "success", "failure")
	slo.Places[model.AtRaw] = d.Place(path + ".raw.metricSource.spec.query")
	return model.Indicator{Raw: &model.Raw{Query: r.query(d, path+".raw", *m.Raw, model.NewSingle), Failure: m.RawType == "failure"}}
}

// query reads a metric source, which must be Prometheus: by its own type, or by that of the DataSource it refers to.
func (r *reader) query(d strictyaml.Document, path string, m metric, read func(string) (model.Query, error)) model.Query {
	path += ".metricSource"
	r.sourceType(d, path, m.MetricSource)
	if len(m.MetricSource.Spec) == 0 {
		r.add(d.Errorf(path, "metricSource.spec is missing: write spec: {query: ...}"))
		return model.Query{}
	}
	for key := range m.MetricSource.Spec {
		r.need(d, key == "query", path+".spec"+strictyaml.Key(key), "unknown key %q in the spec of a Prometheus source; the keys there are: query", key)
	}
	text, is := m.MetricSource.Spec["query"].(string)
	if !is {
		r.add(d.Errorf(path+".spec.query", "spec.query must be a PromQL expression: put it in quotes"))
		return model.Query{}
	}
	query, err := read(text)
	if err != nil {
		r.add(d.Errorf(path+".spec.query", "%v", err))
	}
	return query
}

func (r *reader) sourceType(d strictyaml.Document, path string, source metricSource) {
	kind, place := source.Type, path+".type"
	if ref := source.MetricSourceRef; ref != "" {
		found, there := r.sources[ref]
		switch {
		case there && kind != "" && !strings.EqualFold(kind, found.object.Spec.Type):
			r.add(d.Errorf(path+".type", "type is %q, but DataSource %q is of type %q", kind, ref, found.object.Spec.Type))
			return
		case there:
			kind, place = found.object.Spec.Type, path+".metricSourceRef"
		case kind == "":
			r.add(d.Errorf(path+".metricSourceRef", "there is no DataSource %q in the files that were read: name its file too, or write type: Prometheus", ref))
			return
		}
	}
	if kind == "" {
		r.add(d.Errorf(path, "metricSource needs a type, or a metricSourceRef: write type: Prometheus"))
		return
	}
	r.need(d, strings.EqualFold(kind, "prometheus"), place, "sources of type %q are not supported: only Prometheus is", kind)
}

func (r *reader) dataSource(found at[object[dataSourceSpec]]) {
	r.description(found.Document, "$.spec.description", found.object.Spec.Description)
	r.need(found.Document, found.object.Spec.Type != "", "$.spec.type", "spec.type is missing, for example Prometheus")
	r.need(found.Document, found.Has("$.spec.connectionDetails"), "$.spec.connectionDetails", "spec.connectionDetails is missing; {} will do")
}
