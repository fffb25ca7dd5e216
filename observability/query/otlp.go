package query

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// otlpAnswer is the part of OTLP's JSON form (opentelemetry-proto, TracesData) that a span here is made of.
type otlpAnswer struct {
	Result struct {
		ResourceSpans []struct {
			Resource struct {
				Attributes []otlpAttribute `json:"attributes"`
			} `json:"resource"`
			ScopeSpans []struct {
				Spans []otlpSpan `json:"spans"`
			} `json:"scopeSpans"`
		} `json:"resourceSpans"`
	} `json:"result"`
}

type otlpSpan struct {
	TraceID    string          `json:"traceId"`
	SpanID     string          `json:"spanId"`
	ParentID   string          `json:"parentSpanId"`
	Name       string          `json:"name"`
	Kind       int             `json:"kind"`
	Start      string          `json:"startTimeUnixNano"`
	End        string          `json:"endTimeUnixNano"`
	Attributes []otlpAttribute `json:"attributes"`
	Status     struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	} `json:"status"`
}

type otlpAttribute struct {
	Key   string                     `json:"key"`
	Value map[string]json.RawMessage `json:"value"` // one of stringValue, intValue, boolValue, doubleValue, arrayValue ...
}

// otlpKinds are the numbers of Span.SpanKind, otlpError that of Status.STATUS_CODE_ERROR.
var otlpKinds = map[int]SpanKind{1: Internal, 2: Server, 3: Client, 4: Producer, 5: Consumer}

const otlpError = 2

// traces gathers spans by trace; each trace has at least one, and they are ordered by start.
func (a otlpAnswer) traces() ([]Trace, error) {
	index := map[string]int{}
	var traces []Trace
	for _, resource := range a.Result.ResourceSpans {
		of := attributes(resource.Resource.Attributes)
		for _, scope := range resource.ScopeSpans {
			for _, raw := range scope.Spans {
				span, err := raw.span()
				if err != nil {
					return nil, fmt.Errorf("span %s: %w", raw.SpanID, err)
				}
				span.Service, span.Instance = of["service.name"], of["service.instance.id"]
				at, known := index[raw.TraceID]
				if !known {
					at = len(traces)
					index[raw.TraceID] = at
					traces = append(traces, Trace{ID: raw.TraceID})
				}
				traces[at].Spans = append(traces[at].Spans, span)
			}
		}
	}
	for _, trace := range traces {
		slices.SortStableFunc(trace.Spans, func(a, b Span) int { return a.Start.Compare(b.Start) })
	}
	return traces, nil
}

func (s otlpSpan) span() (Span, error) {
	start, err := strconv.ParseInt(s.Start, 10, 64)
	if err != nil {
		return Span{}, fmt.Errorf("start: %w", err)
	}
	end, err := strconv.ParseInt(s.End, 10, 64)
	if err != nil {
		return Span{}, fmt.Errorf("end: %w", err)
	}
	return Span{
		ID: s.SpanID, ParentID: s.ParentID, Name: s.Name, Kind: otlpKinds[s.Kind],
		Start: time.Unix(0, start), Duration: time.Duration(end - start),
		Failed: s.Status.Code == otlpError, Message: s.Status.Message,
		Attributes: attributes(s.Attributes),
	}, nil
}

// attributes writes every value as text; lists and maps stay JSON.
func attributes(raw []otlpAttribute) Labels {
	labels := make(Labels, len(raw))
	for _, attribute := range raw {
		for _, value := range attribute.Value {
			var text string
			if json.Unmarshal(value, &text) != nil {
				text = string(value)
			}
			labels[attribute.Key] = text
		}
	}
	return labels
}
