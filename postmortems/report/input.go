package report

import (
	"math"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
)

// Input is all that a report is made of.
type Input struct {
	Incident incident.Incident
	// Record says where the incident was read.
	Record Provenance
	// Audit is the healer's append-only log of this incident, and AuditFrom says where it was read.
	Audit     []incident.Entry
	AuditFrom Provenance

	Telemetry Telemetry
	Objective Objective
	// WrittenAt is when the report is made.
	WrittenAt time.Time
}

// Provenance is where a value came from, or why it is not known.
type Provenance struct {
	Source string // prometheus, loki, jaeger, autoheal, postgres, workloads, file
	Query  string
	// Start and End are the time range that was asked for; both are zero where a range makes no sense.
	Start, End time.Time
	// Step is the resolution of a range query, 0 where there is none.
	Step time.Duration
	// Unknown is the reason why the value could not be had; empty when it is known.
	Unknown string
}

// Known says that the source answered.
func (p Provenance) Known() bool { return p.Unknown == "" }

// Telemetry is what the sources said about the time around the incident.
type Telemetry struct {
	Grid  Grid
	Edge  Edge
	Pools Pools
	Trace Trace
	Logs  Logs
}

// Grid is the row of instants on which every Line of a Telemetry has its values: Start, Start+Step, ...
type Grid struct {
	Start time.Time
	Step  time.Duration
	Len   int
}

// At is the i-th instant.
func (g Grid) At(i int) time.Time { return g.Start.Add(time.Duration(i) * g.Step) }

// Since is where the step that ends at the i-th instant begins. What is counted in a step (checkouts, timeouts) happened
// between the two, so a second of the edge is named by its beginning, as the client names it.
func (g Grid) Since(i int) time.Time { return g.At(i).Add(-g.Step) }

// End is the last instant.
func (g Grid) End() time.Time { return g.At(max(g.Len-1, 0)) }

// Line is one value for each instant of the Grid; NaN where it is unknown.
type Line []float64

// NewLine returns a line of n unknown values.
func NewLine(n int) Line {
	line := make(Line, n)
	for i := range line {
		line[i] = math.NaN()
	}
	return line
}

// Edge is what the edge served. The value at an instant is what passed in the step that ended there.
type Edge struct {
	All  Provenance // Total and Done
	Fast Provenance // Good and Taken

	Total Line // checkouts answered, business refusals (4xx) left out
	Done  Line // of those, answered 2xx
	Good  Line // of those, completed within the objective's latency
	// Taken are those that were only taken for later (202), within the objective's latency; no Line where nobody counted.
	Taken Line
}

// Pools are the connection pools of the workloads that the incident names.
type Pools struct {
	Used, Idle, Pending, Max, Timeouts Provenance

	Pools []Pool
}

// Pool is one pool of one replica.
type Pool struct {
	Replica string
	Name    string
	// Used, Idle and Pending are counts at the instant; Timeouts is how many acquires gave up in the step before it.
	Used, Idle, Pending, Timeouts Line
	Max                           Line
}

// Trace is one offending request.
type Trace struct {
	From  Provenance
	ID    string
	Spans []Span
}

// Span is one piece of work within a trace.
type Span struct {
	ID, Parent string
	Service    string
	Name       string
	Start      time.Time
	Duration   time.Duration
	Failed     bool
	Note       string // what the span says about its failure
}

// Logs are the lines that carry the trace's id.
type Logs struct {
	From  Provenance
	Lines []LogLine
	// More is how many further lines there are.
	More int
}

// LogLine is one log record.
type LogLine struct {
	At      time.Time
	Service string
	Level   string
	Text    string
}

// Objective is the service-level objective that the error budget belongs to.
type Objective struct {
	Target float64       // share of good checkouts, for example 0.99
	Window time.Duration // the budget's period
}
