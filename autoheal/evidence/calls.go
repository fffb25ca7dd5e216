package evidence

import (
	"fmt"
	"net"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/workload"
)

// The parts of a histogram, by what its series' names end with.
const (
	sumPart    = "_sum"
	countPart  = "_count"
	bucketPart = "_bucket"
)

// wayQuestions ask how long the services' ways take: holding a connection, going to the database, and calling each other.
func (c *PrometheusCollector) wayQuestions(scope Scope) []question {
	behind := slices.DeleteFunc(slices.Clone(scope.Workloads), func(w string) bool { return w == c.cfg.Edge })
	samples := c.samples()
	return []question{
		{
			PoolHoldMean, `{__name__=~"db_client_connection_use_time_seconds_(sum|count)",` + jobs(scope.Workloads) + `}` + samples,
			c.mean(sumPart, "s", c.window()),
		},
		{
			RoundTripQuick, `{__name__=~"db_client_round_trip_duration_seconds_(bucket|count)",` + jobs(scope.Workloads) +
				`,le=~"|` + QuickTrip + `"}` + samples, c.mean(bucketPart, "1", tripWindow*c.cfg.Interval),
		},
		{
			CallTimeMean, `{__name__=~"http_client_request_duration_seconds_(sum|count)",` + jobs(behind) + `}` + samples,
			func(q question, series []Series, now time.Time) []incident.Fact {
				return c.calls(q, series, now, scope.live)
			},
		},
	}
}

// jobs selects the series of some workloads.
func jobs(workloads []string) string {
	quoted := make([]string, len(workloads))
	for i, w := range workloads {
		quoted[i] = regexp.QuoteMeta(w)
	}
	return fmt.Sprintf(`job=~%q`, strings.Join(quoted, "|"))
}

// tripWindow is how far back round trips and calls are counted, in scrapes: between the last two. There are some in each, and none of
// them should be from before the way became slow.
const tripWindow = 2

// mean divides the increase of one part of a histogram by that of its count. A mean of nothing is unknown.
func (c *PrometheusCollector) mean(part, unit string, window time.Duration) reader {
	return func(q question, series []Series, now time.Time) []incident.Fact {
		facts := c.perReplica(q, series, now, func(group []Series) (incident.Fact, bool) {
			value, n := c.quotient(group, part, now.Add(-window))
			return incident.Fact{Value: value, Unit: unit, At: now, Detail: fmt.Sprintf("of %g in %s", n, window)}, n > 0
		})
		for i := range facts {
			if facts[i].Status == incident.Unknown && facts[i].Detail == notTwo {
				facts[i].Detail = "nothing was counted in " + window.String()
			}
		}
		return facts
	}
}

// quotient is what a part of a histogram rose by, for each one that was counted, and how many these were.
func (c *PrometheusCollector) quotient(group []Series, part string, since time.Time) (value, n float64) {
	var sum float64
	for _, s := range group {
		rose, _ := s.increase(since)
		switch name := s.Labels["__name__"]; {
		case strings.HasSuffix(name, countPart):
			n += rose
		case strings.HasSuffix(name, part):
			sum += rose
		}
	}
	if n <= 0 {
		return 0, 0
	}
	return sum / n, n
}

// calls reads the mean time of calls by the workload that was called: the labels have only its address, which the list of
// workloads gives a name.
func (c *PrometheusCollector) calls(q question, series []Series, now time.Time, live roll) []incident.Fact {
	var all []workload.Workload
	if live != nil {
		var err error
		if all, err = live(); err != nil {
			return []incident.Fact{unknown(Prometheus, q.fact, Prometheus, q.selector, "whose addresses these are is unknown: "+err.Error(), now)}
		}
	}
	called := map[string][]Series{}
	for _, s := range series {
		if _, fresh := c.fresh([]Series{s}, now); !fresh {
			continue // of a caller that is gone, or an address that is not called any more
		}
		if name, known := WorkloadAt(all, s.Labels["server_address"], s.Labels["server_port"]); known {
			called[name] = append(called[name], s)
		}
	}
	var facts []incident.Fact
	window := tripWindow * c.cfg.Interval
	for name, group := range called {
		mean, n := c.quotient(group, sumPart, now.Add(-window))
		if n <= 0 {
			facts = append(facts, unknown(Prometheus, q.fact, name, q.selector, "no call ended in "+window.String(), now))
			continue
		}
		facts = append(facts, incident.Fact{
			Name: q.fact, Source: Prometheus, Subject: name, Query: q.selector, Status: incident.Known, Value: mean, Unit: "s", At: now,
			Detail: fmt.Sprintf("of %g calls in %s", n, window),
		})
	}
	return facts
}

// WorkloadAt names the workload that answers at an address: a replica's own, or the name of a Service, which is the workload's.
func WorkloadAt(all []workload.Workload, host, port string) (string, bool) {
	address, service := net.JoinHostPort(host, port), host
	if net.ParseIP(host) == nil {
		service, _, _ = strings.Cut(host, ".")
	}
	for _, w := range all {
		if w.Name == service || slices.ContainsFunc(w.Replicas, func(r workload.Replica) bool { return r.Address == address }) {
			return w.Name, true
		}
	}
	return "", false
}
