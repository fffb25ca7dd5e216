package evidence

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"github.com/faultline-lab/faultline/autoheal/incident"
)

const (
	stretch   = 10 // scrapes, over which an earlier rate is taken
	stretches = 11 // of them, before the last one
	// lately is over how many scrapes the present rate is taken: over fewer, requests that were held up somewhere for a second
	// and come at once are a surge.
	lately = 6
)

// arrivalQuestion asks how many checkouts came to the edge lately and before, whatever became of them.
func (c *PrometheusCollector) arrivalQuestion(scope Scope) question {
	past := model.Duration((stretches + 1) * stretch * c.cfg.Interval).String()
	return question{
		fact: EdgeArrivalRate,
		selector: fmt.Sprintf(`http_server_request_duration_seconds_count{job=%q,http_request_method="POST",http_route="/checkout"}[%s]`,
			c.cfg.Edge, past),
		read: func(q question, series []Series, now time.Time) []incident.Fact {
			return c.arrivals(q, series, now, scope.live)
		},
	}
}

// arrivals holds the present rate against what it used to be: the middle one of some earlier stretches. The middle, because
// a surge that has lasted for a while must not count as usual, nor a lull.
func (c *PrometheusCollector) arrivals(q question, series []Series, now time.Time, live roll) []incident.Fact {
	fact := func(name, unit string, value, threshold float64, known bool, detail string) incident.Fact {
		f := incident.Fact{
			Name: name, Source: Prometheus, Subject: c.cfg.Edge, Query: q.selector, Status: incident.Known, Value: value, Unit: unit,
			Threshold: threshold, At: now, Detail: detail,
		}
		if !known {
			return unknown(Prometheus, name, c.cfg.Edge, q.selector, "too few samples of the edge: "+detail, now)
		}
		return f
	}
	present, lost := c.present(series, now, live)
	rate, known := rateOf(byInstance(present), now.Add(-lately*c.cfg.Interval), now, 1)
	known = known && lost == ""
	counters := byInstance(series) // also of replicas that are gone: customers came to them before
	long := stretch * c.cfg.Interval
	var earlier []float64
	for i := range stretches {
		end := now.Add(-time.Duration(i+1) * long)
		if r, ok := rateOf(counters, end.Add(-long), end, long/2); ok && r > 0 {
			earlier = append(earlier, r)
		}
	}
	slices.Sort(earlier)
	before := 0.0
	if len(earlier) > 0 {
		before = earlier[len(earlier)/2]
	}
	usual := fmt.Sprintf("the middle one of %d stretches of %s", len(earlier), long)
	ratio := 0.0
	if before > 0 {
		ratio = rate / before
	}
	return []incident.Fact{
		fact(EdgeArrivalRate, "{checkout}/s", rate, 0, known, "in "+(lately*c.cfg.Interval).String()),
		fact(EdgeArrivalBefore, "{checkout}/s", before, 0, before > 0, usual),
		fact(EdgeArrivalRatio, "1", ratio, MoreCustomers, known && before > 0, usual),
	}
}

// MoreCustomers is how many times the usual rate of arrivals is a surge: arrivals are constant but for a few, and pools that
// are half busy bear less than twice the rate.
const MoreCustomers = 1.4

// byInstance adds the counters of each instance up, so that a status seen for the first time is a rise from zero.
func byInstance(series []Series) []Series {
	sums := map[string]map[time.Time]float64{}
	for _, s := range series {
		if strings.HasSuffix(s.Labels["__name__"], bucketPart) {
			continue
		}
		instance := s.Labels["instance"]
		if sums[instance] == nil {
			sums[instance] = map[time.Time]float64{}
		}
		for _, sample := range s.Samples {
			sums[instance][sample.At] += sample.Value
		}
	}
	var counters []Series
	for _, times := range sums {
		var counter Series
		for at, value := range times {
			counter.Samples = append(counter.Samples, Sample{at, value})
		}
		slices.SortFunc(counter.Samples, func(a, b Sample) int { return a.At.Compare(b.At) })
		counters = append(counters, counter)
	}
	return counters
}

// rateOf is the rate of all counters together between two times; false where the samples of none span so much.
func rateOf(counters []Series, from, to time.Time, span time.Duration) (float64, bool) {
	var sum float64
	known := false
	for _, counter := range counters {
		part := Series{Samples: slices.DeleteFunc(slices.Clone(counter.Samples), func(s Sample) bool {
			return s.At.Before(from) || s.At.After(to)
		})}
		if len(part.Samples) < 2 {
			continue
		}
		took := part.Samples[len(part.Samples)-1].At.Sub(part.Samples[0].At)
		if took < span {
			continue
		}
		rose, _ := part.increase(time.Time{})
		sum, known = sum+rose/took.Seconds(), true
	}
	return sum, known
}
