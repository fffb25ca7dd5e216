package gather

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/observability/query"
	"github.com/faultline-lab/faultline/postmortems/report"
)

const (
	edgeService   = "storefront"
	edgeOperation = "POST /checkout"
	acquireSpan   = "pool.acquire"

	// ahead of the alert there are failed checkouts already: that is why it fired.
	ahead = 10 * time.Second
	// slowEnough to have waited for a connection in vain; a search without it brings healthy checkouts, mostly.
	slowEnough = 300 * time.Millisecond
	searched   = 100 // traces to choose from
)

// trace finds the failed checkout that tells most: the one that waited longest for a connection. Slow ones are searched
// first, then any.
func (g *Gatherer) trace(ctx context.Context, in incident.Incident) report.Trace {
	search := query.Search{
		Service: edgeService, Operation: edgeOperation, MinTook: slowEnough, Limit: searched,
		From: report.Zero(in).Add(-ahead), To: lastMoment(in),
	}
	from := report.Provenance{Source: "jaeger", Start: search.From.UTC(), End: search.To.UTC(), Query: inWords(search)}
	if g.cfg.Traces == nil {
		from.Unknown = g.missing("jaeger")
		return report.Trace{From: from}
	}
	for _, search.MinTook = range []time.Duration{slowEnough, 0} {
		from.Query = inWords(search)
		found, err := g.cfg.Traces.Search(ctx, search)
		if err != nil {
			from.Unknown = reason(err)
			return report.Trace{From: from}
		}
		if best, ok := mostTelling(found); ok {
			return report.Trace{From: from, ID: best.ID, Spans: spans(best)}
		}
	}
	from.Unknown = "Jaeger holds no failed checkout of this time: none failed, or its traces have expired"
	return report.Trace{From: from}
}

func inWords(s query.Search) string {
	text := fmt.Sprintf("service=%s operation=%q", s.Service, s.Operation)
	if s.MinTook > 0 {
		text += " min-duration=" + s.MinTook.String()
	}
	return fmt.Sprintf("%s limit=%d; of these a failed one, the longest %s first", text, s.Limit, acquireSpan)
}

// mostTelling picks among the failed ones.
func mostTelling(traces []query.Trace) (best query.Trace, ok bool) {
	for _, t := range traces {
		if !slices.ContainsFunc(t.Spans, func(s query.Span) bool { return s.Failed }) {
			continue
		}
		wait, most := waited(t), waited(best)
		if !ok || wait > most || wait == most && len(t.Spans) > len(best.Spans) {
			best, ok = t, true
		}
	}
	return best, ok
}

func waited(t query.Trace) time.Duration {
	var longest time.Duration
	for _, s := range t.Spans {
		if s.Name == acquireSpan {
			longest = max(longest, s.Duration)
		}
	}
	return longest
}

func spans(t query.Trace) []report.Span {
	spans := make([]report.Span, len(t.Spans))
	for i, s := range t.Spans {
		spans[i] = report.Span{
			ID: s.ID, Parent: s.ParentID, Service: s.Service, Name: s.Name,
			Start: s.Start.UTC(), Duration: s.Duration, Failed: s.Failed, Note: s.Message,
		}
		if s.Instance != "" {
			spans[i].Service = s.Instance
		}
		if status := s.Attributes["http.response.status_code"]; spans[i].Note == "" && status != "" {
			spans[i].Note = "HTTP " + status
		}
	}
	return spans
}
