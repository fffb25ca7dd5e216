package evidence

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/workload"
)

// GoodWithin and GoodRatio are the objective of the edge's SLI (docs/contracts.md, "storefront"): a checkout is good when
// it ends in 2xx within 0.5 s, and the edge is well when 95 % are.
const (
	GoodWithin = "0.5"
	GoodRatio  = 0.95
)

// edgeQuestion asks for both halves of the SLI in one go: the count and the bucket of the objective.
func (c *PrometheusCollector) edgeQuestion(scope Scope) question {
	return question{
		fact: EdgeGoodRatio,
		selector: fmt.Sprintf(`{__name__=~"http_server_request_duration_seconds_(bucket|count)",job=%q,`+
			`http_request_method="POST",http_route="/checkout",le=~"|%s"}%s`, c.cfg.Edge, GoodWithin, c.samples()),
		read: func(q question, series []Series, now time.Time) []incident.Fact {
			return c.edge(q, series, now, scope.live)
		},
	}
}

// edge adds up the increases within the counter window, over all replicas of the edge; while one of those that are there
// has gone stale, nothing is known. A status that first appears within the window counts from zero: that can only make the
// edge look worse than it is.
func (c *PrometheusCollector) edge(q question, series []Series, now time.Time, live roll) []incident.Fact {
	missing := func(why string) []incident.Fact {
		return []incident.Fact{
			unknown(Prometheus, EdgeTotal, c.cfg.Edge, q.selector, why, now),
			unknown(Prometheus, EdgeGoodRatio, c.cfg.Edge, q.selector, why, now),
		}
	}
	series, lost := c.present(series, now, live)
	switch {
	case lost != "":
		return missing("no fresh sample of the edge's own histogram from " + lost)
	case len(series) == 0:
		return missing("no fresh sample of the edge's own histogram")
	}
	var total, good float64
	for _, s := range series {
		status := s.Labels["http_response_status_code"]
		n, _ := s.increase(now.Add(-c.window()))
		switch {
		case strings.HasPrefix(status, "4"):
		case strings.HasSuffix(s.Labels["__name__"], "_count"):
			if first := s.Samples[0]; !strings.HasPrefix(status, "2") && now.Sub(first.At) < c.window() {
				n += first.Value
			}
			total += n
		case strings.HasPrefix(status, "2"):
			good += n
		}
	}
	if total <= 0 {
		return missing("no checkout passed the edge within " + c.window().String())
	}
	known := func(name, unit string, value, threshold float64) incident.Fact {
		return incident.Fact{
			Name: name, Source: Prometheus, Subject: c.cfg.Edge, Query: q.selector, Status: incident.Known, Value: value,
			Unit: unit, Threshold: threshold, At: now, Detail: "increase between the samples of the last " + c.window().String(),
		}
	}
	return []incident.Fact{
		known(EdgeTotal, "{request}", total, 1),
		known(EdgeGoodRatio, "1", min(good/total, 1), GoodRatio),
	}
}

// present leaves out the series of replicas that are gone: Prometheus remembers them for some scrapes. A replica of which no
// series is fresh, and that is not known to be gone, is lost. One series alone may go stale when its replica is started
// anew and has not seen that status yet.
func (c *PrometheusCollector) present(series []Series, now time.Time, live roll) (kept []Series, lost string) {
	byReplica := map[string][]Series{}
	for _, s := range series {
		if len(s.Samples) > 0 {
			byReplica[s.Labels["instance"]] = append(byReplica[s.Labels["instance"]], s)
		}
	}
	for replica, group := range byReplica {
		isFresh := func(s Series) bool { _, fresh := c.fresh([]Series{s}, now); return fresh }
		switch {
		case slices.ContainsFunc(group, isFresh):
			kept = append(kept, group...)
		case !c.gone(replica, live):
			return nil, replica
		}
	}
	return kept, ""
}

// gone says that the live workloads are known and a replica of the edge is none of them.
func (c *PrometheusCollector) gone(replica string, live roll) bool {
	if live == nil {
		return false
	}
	all, err := live()
	if err != nil {
		return false
	}
	return !slices.ContainsFunc(all, func(w workload.Workload) bool {
		_, there := w.Replica(replica)
		return there && w.Name == c.cfg.Edge
	})
}
