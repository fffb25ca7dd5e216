package prom

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/faultline-lab/faultline/autoheal/evidence"
	"github.com/faultline-lab/faultline/observability/query"
)

const (
	hurtWithin = 30 * time.Second // older ones may be of another story
	hurtAtMost = 3
)

// Offenders implements evidence.Offenders by exemplars: of callers who gave up waiting for a connection, and of requests
// that were answered with 5xx. They are of different traces, newest first.
func (p *Prometheus) Offenders(ctx context.Context, workloads []string) ([]evidence.Request, error) {
	quoted := make([]string, len(workloads))
	for i, w := range workloads {
		quoted[i] = regexp.QuoteMeta(w)
	}
	jobs := fmt.Sprintf("job=~%q", strings.Join(quoted, "|"))
	now := time.Now()
	found, err := p.client.Exemplars(ctx, `db_client_connection_timeouts_total{`+jobs+`} or `+
		`http_server_request_duration_seconds_bucket{`+jobs+`,http_response_status_code=~"5.."}`, now.Add(-hurtWithin), now)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(found, func(a, b query.Exemplar) int { return cmp.Or(b.At.Compare(a.At), cmp.Compare(a.TraceID, b.TraceID)) })
	var requests []evidence.Request
	for _, exemplar := range found {
		request, ok := request(exemplar)
		known := slices.ContainsFunc(requests, func(r evidence.Request) bool { return r.Span.TraceID() == request.Span.TraceID() })
		if ok && !known && len(requests) < hurtAtMost {
			requests = append(requests, request)
		}
	}
	return requests, nil
}

// request is false where the exemplar leads to no trace.
func request(exemplar query.Exemplar) (evidence.Request, bool) {
	traceID, err := trace.TraceIDFromHex(exemplar.TraceID)
	if err != nil {
		return evidence.Request{}, false
	}
	spanID, err := trace.SpanIDFromHex(exemplar.SpanID)
	if err != nil {
		return evidence.Request{}, false
	}
	// Only what is sampled becomes an exemplar.
	of := trace.NewSpanContext(trace.SpanContextConfig{TraceID: traceID, SpanID: spanID, TraceFlags: trace.FlagsSampled, Remote: true})
	return evidence.Request{Span: of, Replica: exemplar.Series["instance"]}, true
}
