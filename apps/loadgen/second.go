package loadgen

import (
	"slices"
	"time"

	"go.opentelemetry.io/otel/trace"
)

// Objective is how soon a checkout must be completed, counted from its intended send time, to be good.
const Objective = 500 * time.Millisecond

// okShare is the share of good checkouts that makes a second ok, business refusals left out.
const okShare = 0.95

// maxTraceIDs is how many failed traces a second names.
const maxTraceIDs = 5

// Outcome is how one checkout ended.
type Outcome string

// The outcomes. Every checkout has exactly one.
const (
	Good     Outcome = "good"     // completed (201) within Objective
	Slow     Outcome = "slow"     // completed later than that
	Accepted Outcome = "accepted" // 202: taken, not completed
	Excluded Outcome = "excluded" // refused for a business reason (4xx)
	Failed   Outcome = "failed"   // everything else
)

// Outcomes lists all of them.
func Outcomes() []Outcome { return []Outcome{Good, Slow, Accepted, Excluded, Failed} }

// Answer is what came of one checkout that was to be sent.
type Answer struct {
	// Status is the HTTP status; 0 means that there was no answer.
	Status int
	// Unsent says that the request never left, because too many were in flight.
	Unsent bool
	// Span is the request's; its trace shows what became of it. The zero value when there is none.
	Span trace.SpanContext
	// Latency runs from the intended send time until the end.
	Latency time.Duration
}

// Outcome judges the answer. 408 and 429 are a system that cannot keep up, not a business reason.
func (a Answer) Outcome() Outcome {
	switch {
	case a.Status == 201 && a.Latency <= Objective:
		return Good
	case a.Status == 201:
		return Slow
	case a.Status == 202:
		return Accepted
	case a.Status == 408 || a.Status == 429:
		return Failed
	case a.Status >= 400 && a.Status < 500:
		return Excluded
	default:
		return Failed
	}
}

// Second is one finished wall-clock second as the clients saw it (docs/contracts.md, "loadgen"). Requests count in the
// second in which they were to be sent.
type Second struct {
	Second   time.Time `json:"second"`
	Sent     int       `json:"sent"`
	Good     int       `json:"good"`
	Slow     int       `json:"slow"`
	Failed   int       `json:"failed"`
	Excluded int       `json:"excluded"`
	Accepted int       `json:"accepted"`
	OK       bool      `json:"ok"`
	// P50Millis and P99Millis are over all requests that left and were not excluded, failed ones with the time until
	// they failed; 0 when there were none.
	P50Millis      float64  `json:"p50_ms"`
	P99Millis      float64  `json:"p99_ms"`
	FailedTraceIDs []string `json:"failed_trace_ids"`
}

// tally is a second that is still being counted.
type tally struct {
	start     time.Time
	planned   int
	answers   map[Outcome]int
	ended     int
	latencies []time.Duration
	traces    []string
}

func (t *tally) add(answer Answer) {
	outcome := answer.Outcome()
	t.ended++
	t.answers[outcome]++
	if outcome != Excluded && !answer.Unsent {
		t.latencies = append(t.latencies, answer.Latency)
	}
	if outcome == Failed && answer.Span.HasTraceID() && len(t.traces) < maxTraceIDs {
		t.traces = append(t.traces, answer.Span.TraceID().String())
	}
}

func (t *tally) second() Second {
	counted := t.planned - t.answers[Excluded]
	slices.Sort(t.latencies)
	return Second{
		Second: t.start.UTC().Round(0),
		Sent:   t.planned,
		Good:   t.answers[Good], Slow: t.answers[Slow], Failed: t.answers[Failed],
		Excluded: t.answers[Excluded], Accepted: t.answers[Accepted],
		OK:             counted > 0 && float64(t.answers[Good]) >= okShare*float64(counted),
		P50Millis:      percentile(t.latencies, 50),
		P99Millis:      percentile(t.latencies, 99),
		FailedTraceIDs: append([]string{}, t.traces...),
	}
}

// percentile is the nearest-rank percentile in milliseconds, to a tenth.
func percentile(sorted []time.Duration, p int) float64 {
	if len(sorted) == 0 {
		return 0
	}
	rank := (len(sorted)*p + 99) / 100
	return float64(sorted[rank-1].Round(100*time.Microsecond)) / float64(time.Millisecond)
}
