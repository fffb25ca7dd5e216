package query

import "time"

// Labels are a series' or a record's names and values.
type Labels map[string]string

// Sample is one series at one time.
type Sample struct {
	Labels Labels
	At     time.Time
	Value  float64
}

// Point is one value of a series.
type Point struct {
	At    time.Time
	Value float64
}

// Series is one series over a range of time.
type Series struct {
	Labels Labels
	Points []Point
}

// Alert is one alert as Prometheus sees it; Alertmanager may know more.
type Alert struct {
	Labels      Labels
	Annotations Labels
	State       string // pending, firing
	ActiveAt    time.Time
	Value       float64
}

// Ticket says that the alert is for somebody's working hours: it pages nobody, and the healer does not hear of it.
func (a Alert) Ticket() bool { return a.Labels["severity"] == "ticket" }

// Exemplar is one measurement that carries its trace.
type Exemplar struct {
	Series  Labels
	At      time.Time
	Value   float64
	TraceID string
	SpanID  string
}

// Target is one scraped page.
type Target struct {
	Labels     Labels
	ScrapeURL  string
	Up         bool
	LastError  string
	LastScrape time.Time
}

// Log is one log record. Labels hold both the stream's labels and the record's own metadata (trace_id, span_id).
type Log struct {
	At     time.Time
	Line   string
	Labels Labels
}

// Trace is all that is known of one request; its spans are ordered by start.
type Trace struct {
	ID    string
	Spans []Span
}

// Span is one step of a request.
type Span struct {
	ID       string
	ParentID string // empty at the root
	Service  string
	Instance string
	Name     string
	Kind     SpanKind
	Start    time.Time
	Duration time.Duration
	Failed   bool
	// Message says why, where Failed; it may be empty.
	Message    string
	Attributes Labels
}

// SpanKind is the span's place between programs.
type SpanKind string

// The kinds of spans.
const (
	Internal SpanKind = "internal"
	Server   SpanKind = "server"
	Client   SpanKind = "client"
	Producer SpanKind = "producer"
	Consumer SpanKind = "consumer"
)
