package evidence

import (
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
)

// releases reads how many connections were given back and when the last one was: use_time counts one at each release.
func (c *PrometheusCollector) releases(q question, series []Series, now time.Time) []incident.Fact {
	detail := "increase between all samples of the selector"
	facts := c.perReplica(q, series, now, func(group []Series) (incident.Fact, bool) {
		sum, ok := increases(group, time.Time{})
		return incident.Fact{Value: sum, Unit: "{release}", At: now, Detail: detail}, ok
	})
	q.fact = PoolLastReleaseAge
	return append(facts, c.perReplica(q, rising(series, now), now, func(group []Series) (incident.Fact, bool) {
		fact := incident.Fact{Unit: "s", Threshold: LongestHold.Seconds(), At: now, Detail: "at most so long ago"}
		for i, s := range group {
			if age, _ := s.lastRise(now); i == 0 || age.Seconds() < fact.Value {
				fact.Value = age.Seconds()
			}
		}
		return fact, true
	})...)
}

func rising(series []Series, now time.Time) []Series {
	var found []Series
	for _, s := range series {
		if _, rose := s.lastRise(now); rose {
			found = append(found, s)
		}
	}
	return found
}
