package contract

import (
	"maps"
	"strings"

	"github.com/faultline-lab/faultline/observability/query"
)

// Observed is what was read from a running stack.
type Observed struct {
	// Target is local or kind: programs that do not run there are not missed.
	Target string
	// Happened says what the stack went through; Always needs not be named. What is seen only UnderFailure is missed
	// only if there was a failure.
	Happened  []Seen
	Instances []Instance
	Spans     []ObservedSpan
	Logs      []ObservedLog
}

// Instance is one replica's scrape page.
type Instance struct {
	Program, Instance string
	Page              Page
}

// ParentState says whether a span's parent was found in its trace.
type ParentState string

// What is known of a span's parent.
const (
	NoParent    ParentState = "none"
	ParentKnown ParentState = "known"
	ParentLost  ParentState = "lost"
)

// ObservedSpan is one span as the trace store has it.
type ObservedSpan struct {
	Program    string
	Name       string
	Kind       string
	Attributes query.Labels
	Parent     ParentState
	TraceID    string
}

// ObservedLog is one log record as the log store has it.
type ObservedLog struct {
	Program string
	Message string
	Level   string
	Fields  query.Labels
	TraceID string
}

// FromTraces turns traces into what Check takes. A trace that is still being made has spans whose parents are not
// there yet: ask for those that are a few seconds old.
func FromTraces(traces []query.Trace) []ObservedSpan {
	var spans []ObservedSpan
	for _, trace := range traces {
		ids := make(map[string]bool, len(trace.Spans))
		for _, s := range trace.Spans {
			ids[s.ID] = true
		}
		for _, s := range trace.Spans {
			parent := ParentKnown
			switch {
			case s.ParentID == "":
				parent = NoParent
			case !ids[s.ParentID]:
				parent = ParentLost
			}
			spans = append(spans, ObservedSpan{
				Program: s.Service, Name: s.Name, Kind: string(s.Kind), Attributes: ownAttributes(s.Attributes), Parent: parent, TraceID: trace.ID,
			})
		}
	}
	return spans
}

// ownAttributes leaves out what Jaeger adds (its warnings).
func ownAttributes(all query.Labels) query.Labels {
	own := maps.Clone(all)
	maps.DeleteFunc(own, func(name, _ string) bool { return strings.HasPrefix(name, "@jaeger@") })
	return own
}

// The labels under which Loki has what every record carries.
const (
	lokiService = "service_name"
	lokiLevel   = "severity_text"
	lokiTraceID = "trace_id"
)

// FromLogs turns Loki's records into what Check takes.
func FromLogs(records []query.Log) []ObservedLog {
	logs := make([]ObservedLog, 0, len(records))
	for _, r := range records {
		logs = append(logs, ObservedLog{
			Program: r.Labels[lokiService], Message: r.Line, Level: r.Labels[lokiLevel], Fields: r.Labels, TraceID: r.Labels[lokiTraceID],
		})
	}
	return logs
}
