package evidence

import (
	"fmt"
	"strings"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
)

// GoodWithin and GoodRatio are the objective of the edge's SLI (docs/contracts.md, "storefront"): a checkout is good when
// it ends in 2xx within 0.5 s, and the edge is well when 95 % are.
const (
	GoodWithin = "0.5"
	GoodRatio  = 0.95
)

// edgeQuestion asks for both halves of the SLI in one go: the count and the bucket of the objective.
func (c *PrometheusCollector) edgeQuestion() question {
	return question{
		fact: EdgeGoodRatio,
		selector: fmt.Sprintf(`{__name__=~"http_server_request_duration_seconds_(bucket|count)",job=%q,`+
			`http_request_method="POST",http_route="/checkout",le=~"|%s"}%s`, c.cfg.Edge, GoodWithin, c.samples()),
		read: c.edge,
	}
}

// edge adds up the increases within the counter window, over all replicas of the edge; while one of them has gone stale,
// nothing is known. A status that first appears within the window counts from zero: that can only make the edge look worse
// than it is.
func (c *PrometheusCollector) edge(q question, series []Series, now time.Time) []incident.Fact {
	missing := func(why string) []incident.Fact {
		return []incident.Fact{
			unknown(Prometheus, EdgeTotal, c.cfg.Edge, q.selector, why, now),
			unknown(Prometheus, EdgeGoodRatio, c.cfg.Edge, q.selector, why, now),
		}
	}
	if _, fresh := c.fresh(series, now); len(series) == 0 || !fresh {
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
