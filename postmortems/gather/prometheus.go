package gather

import (
	"context"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/observability/query"
	"github.com/faultline-lab/faultline/postmortems/report"
)

const prometheus = "prometheus"

// sampled wraps a selector so that a sample counts for two steps only: plain selectors look back five minutes, and
// would show a dead target as one where nothing happens.
func sampled(selector string, step time.Duration) string {
	return fmt.Sprintf("last_over_time(%s[%ds])", selector, int(2*step/time.Second))
}

// ask runs one range query from the step before the grid's first instant, and lays the answer on the grid.
func (g *Gatherer) ask(ctx context.Context, selector string, at report.Grid) (report.Provenance, []labelled) {
	promql := sampled(selector, at.Step)
	from := report.Provenance{Source: prometheus, Query: promql, Start: at.Start.Add(-at.Step), End: at.End(), Step: at.Step}
	switch {
	case g.cfg.Metrics == nil:
		from.Unknown = g.missing(prometheus)
		return from, nil
	case at.Len == 0:
		from.Unknown = "the incident lies in the future of this machine's clock"
		return from, nil
	}
	series, err := g.cfg.Metrics.Range(ctx, promql, from.Start, from.End, from.Step)
	if err != nil {
		from.Unknown = reason(err)
		return from, nil
	}
	laid := make([]labelled, 0, len(series))
	for _, s := range series {
		laid = append(laid, labelled{labels: s.Labels, values: lay(s.Points, from.Start, at.Step, at.Len+1)})
	}
	return from, laid
}

// labelled is a series laid on the grid.
type labelled struct {
	labels map[string]string
	values []float64
}

// lay puts points into n slots. What is not a finite number counts as no sample.
func lay(points []query.Point, start time.Time, step time.Duration, n int) []float64 {
	values := report.NewLine(n)
	for _, s := range points {
		slot := int(s.At.Sub(start).Round(step) / step)
		if slot >= 0 && slot < n && !math.IsInf(s.Value, 0) && !math.IsNaN(s.Value) {
			values[slot] = s.Value
		}
	}
	return values
}

// The edge's SLI (docs/contracts.md, "storefront"): all but 4xx; good is 2xx but 202 within the bucket of 0.5 s.
const (
	edgeLabels = `job="storefront",http_request_method="POST",http_route="/checkout"`
	edgeAll    = `http_server_request_duration_seconds_count{` + edgeLabels + `,http_response_status_code!~"4.."}`
	edgeFast   = `http_server_request_duration_seconds_bucket{` + edgeLabels + `,http_response_status_code=~"2..",le="0.5"}`
)

func (g *Gatherer) edge(ctx context.Context, at report.Grid) report.Edge {
	var e report.Edge
	var all, fast []labelled
	e.All, all = g.ask(ctx, edgeAll, at)
	e.Fast, fast = g.ask(ctx, edgeFast, at)
	if e.All.Known() && len(all) == 0 {
		e.All.Unknown = "Prometheus has no checkout of storefront in this time: not scraped then, or too long ago for its retention"
	}
	if !e.All.Known() || !e.Fast.Known() {
		return e
	}
	owners := presence(members(all, nil), at.Len)
	e.Total = increments(members(all, nil), owners, at.Len)
	e.Done = increments(members(all, succeeded), owners, at.Len)
	e.Good = increments(members(fast, func(labels map[string]string) bool { return !taken(labels) }), owners, at.Len)
	e.Taken = increments(members(fast, taken), owners, at.Len)
	if len(fast) == 0 && slices.ContainsFunc(e.Done, func(v float64) bool { return v > 0 }) {
		e.Fast.Unknown = `there are checkouts, and no bucket of le="0.5" that could tell the good from the slow`
	}
	return e
}

func succeeded(labels map[string]string) bool {
	return strings.HasPrefix(labels["http_response_status_code"], "2")
}

// taken says that the edge has promised the order and not completed it yet.
func taken(labels map[string]string) bool { return labels["http_response_status_code"] == "202" }

// members picks the series that keep allows; nil keeps all.
func members(series []labelled, keep func(map[string]string) bool) []member {
	var kept []member
	for _, s := range series {
		if keep == nil || keep(s.labels) {
			kept = append(kept, member{owner: s.labels["instance"], values: s.values})
		}
	}
	return kept
}

// workloads are all that the incident names.
func workloads(in incident.Incident) []string {
	names := slices.Clone(in.Workloads)
	if in.Workload != "" && !slices.Contains(names, in.Workload) {
		names = append(names, in.Workload)
	}
	slices.Sort(names)
	return names
}

// jobs is a matcher for the workloads' jobs, and for nothing more than these.
func jobs(names []string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = regexp.QuoteMeta(name)
	}
	return "job=~" + strconv.Quote(strings.Join(quoted, "|"))
}
