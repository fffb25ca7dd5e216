package grafana

import "strings"

// Trail is how the provisioned data sources lead from one pillar to the next, so that a test can walk the same way.
type Trail struct {
	// ExemplarLabel is the exemplar's label that holds the trace's id: metric -> trace.
	ExemplarLabel string
	// TraceToLogs is the LogQL that a span leads to, with ${__trace.traceId} for its trace: trace -> logs. LogsOf fills it
	// in as Grafana does.
	TraceToLogs string
	// LogLabel is the log line's label (structured metadata) that holds the trace's id: log -> trace.
	LogLabel string
}

const traceID = "${__trace.traceId}"

// Links is the trail that Files lays.
//
// The logs are asked for by the trace alone, not by workload as well: Jaeger takes service.name out of a span's tags, so a query
// that mentions it would never be filled in, and the link would silently be missing. One request's lines from all its
// programs are also what one wants to see.
func Links() Trail {
	return Trail{
		ExemplarLabel: "trace_id",
		TraceToLogs:   `{service_name=~".+"} | trace_id="` + traceID + `"`,
		LogLabel:      "trace_id",
	}
}

// LogsOf is the LogQL for one trace.
func (t Trail) LogsOf(id string) string { return strings.ReplaceAll(t.TraceToLogs, traceID, id) }
