package evidence

import (
	"fmt"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
)

// reader makes facts of the series that answer a question.
type reader = func(q question, series []Series, now time.Time) []incident.Fact

// gauge reads the last sample; several pools of one replica are added up.
func (c *PrometheusCollector) gauge(unit string, threshold float64) reader {
	return func(q question, series []Series, now time.Time) []incident.Fact {
		return c.perReplica(q, series, now, func(group []Series) (incident.Fact, bool) {
			fact := incident.Fact{Unit: unit, Threshold: threshold, At: now}
			for _, s := range group {
				last, _ := s.last()
				fact.Value += last.Value
				if last.At.Before(fact.At) {
					fact.At = last.At
				}
			}
			return fact, true
		})
	}
}

// counter reads the increase within the counter window, from raw samples and without extrapolation.
func (c *PrometheusCollector) counter(unit string, threshold float64) reader {
	return func(q question, series []Series, now time.Time) []incident.Fact {
		return c.perReplica(q, series, now, func(group []Series) (incident.Fact, bool) {
			sum, ok := increases(group, now.Add(-c.window()))
			return incident.Fact{
				Value: sum, Unit: unit, Threshold: threshold, At: now,
				Detail: fmt.Sprintf("increase between the samples of the last %s", c.window()),
			}, ok
		})
	}
}

func increases(group []Series, since time.Time) (float64, bool) {
	var sum float64
	for _, s := range group {
		n, ok := s.increase(since)
		if !ok {
			return 0, false
		}
		sum += n
	}
	return sum, true
}
