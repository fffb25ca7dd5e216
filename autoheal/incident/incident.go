package incident

import "time"

// Incident is the healer's whole record of one incident. Its JSON form is the contract of the API, of the store and
// of the postmortem.
type Incident struct {
	ID string `json:"id"`
	// Workload is the one the healer judges to be at the root; Workloads are all that alerted, sorted.
	Workload  string   `json:"workload"`
	Workloads []string `json:"workloads"`

	State   State   `json:"state"`
	Outcome Outcome `json:"outcome,omitempty"`
	// Reason says in a sentence why the incident is in this state: what a person reads first.
	Reason string `json:"reason,omitempty"`

	Stages Stages  `json:"stages"`
	Alerts []Alert `json:"alerts"`
	// Truncated is how many alerts Alertmanager said it left out of its payloads.
	Truncated int `json:"truncated_alerts,omitempty"`

	// Evidence holds the facts of every gathering, oldest first; Fact.Round tells the gatherings apart.
	Evidence  []Fact     `json:"evidence"`
	Diagnosis Diagnosis  `json:"diagnosis"`
	Decisions []Decision `json:"decisions,omitempty"`
	Verdicts  []Verdict  `json:"verdicts"`
	Actions   []Action   `json:"actions"`

	Verification Verification `json:"verification"`
	// Approval is what a person was last asked; nil where nobody was.
	Approval *Approval `json:"approval,omitempty"`
	// Rung is the step of the playbook's ladder that is being tried, from 0.
	Rung int `json:"rung"`
	// TraceID is the healer's own trace of this incident.
	TraceID string `json:"trace_id,omitempty"`
}

// Stages are the times at which the incident reached each stage; nil where it has not. A stage that is reached again
// (a second rung) keeps its first time, except ActionFinished and Verified, which hold the last. Diagnosed is the
// diagnosis on which the first decision stands; an inconclusive one before it is in the audit.
type Stages struct {
	AlertStartsAt   *time.Time `json:"alert_starts_at"`
	WebhookReceived *time.Time `json:"webhook_received"`
	Diagnosed       *time.Time `json:"diagnosed"`
	Decided         *time.Time `json:"decided"`
	ActionStarted   *time.Time `json:"action_started"`
	ActionFinished  *time.Time `json:"action_finished"`
	Verified        *time.Time `json:"verified"`
	Ended           *time.Time `json:"ended"`
}

// Alert is one alert as Alertmanager sent it. Fingerprint and StartsAt together identify it
// (Alertmanager's webhook data, version 4).
type Alert struct {
	Fingerprint string            `json:"fingerprint"`
	StartsAt    time.Time         `json:"starts_at"`
	EndsAt      *time.Time        `json:"ends_at,omitempty"`
	Status      string            `json:"status"` // firing, resolved
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	ReceivedAt  time.Time         `json:"received_at"`
}

// Name is the alert's rule name.
func (a Alert) Name() string { return a.Labels["alertname"] }

// FactStatus tells a measured fact from one that could not be had. Unknown is never zero and never leads to action.
type FactStatus string

// The two statuses of a fact.
const (
	Known   FactStatus = "known"
	Unknown FactStatus = "unknown"
)

// Fact is one piece of evidence: what was asked, of whom, what came back, and what it was held against.
type Fact struct {
	// Name is the kind of fact, a constant of package evidence (for example "pool_idle_connections").
	Name string `json:"name"`
	// Source is prometheus, postgres, workloads, loki or jaeger.
	Source string `json:"source"`
	// Subject is the replica, pool or database that the fact is about.
	Subject string     `json:"subject"`
	Query   string     `json:"query"`
	Status  FactStatus `json:"status"`
	Value   float64    `json:"value"`
	// Unit is a UCUM unit or the thing counted: s, 1, {connection}.
	Unit      string  `json:"unit"`
	Threshold float64 `json:"threshold"`
	Detail    string  `json:"detail,omitempty"` // in words; the error where Status is unknown
	// Session is whom the fact is about, where that is one database session.
	Session *Session  `json:"session,omitempty"`
	At      time.Time `json:"at"`
	Round   int       `json:"round"`
}

// Cause is the name of a diagnosis. The names are those of the faults' pages in docs/faults.
type Cause string

// The causes this healer can name.
const (
	Inconclusive   Cause = "inconclusive"
	ConnectionLeak Cause = "connection-leak"
	BadRelease     Cause = "bad-release"
	LockContention Cause = "lock-contention"
	SlowQuery      Cause = "slow-query"
	NetworkLatency Cause = "network-latency"
	ServerCap      Cause = "server-cap"
	SlowDownstream Cause = "slow-downstream"
	TrafficSurge   Cause = "traffic-surge"
)

// Causes lists all causes that can be named, in the order of the table in docs/faults.
func Causes() []Cause {
	return []Cause{
		ConnectionLeak, BadRelease, LockContention, SlowQuery, NetworkLatency, ServerCap, SlowDownstream, TrafficSurge,
	}
}

// Diagnosis is the ranking of causes that one round of evidence gave.
type Diagnosis struct {
	Cause Cause `json:"cause"`
	// Workload is the one at the root: whose replicas are sick, whose database is held up, or who is slow. Empty where the
	// diagnosis is inconclusive.
	Workload string `json:"workload,omitempty"`
	// Subjects are what the cause is seen on, sorted: replicas, or the application names of sessions.
	Subjects []string `json:"subjects"`
	// Sessions are the database sessions that the cause consists of, where it does (docs/remedies/end-session.md).
	Sessions []Session   `json:"sessions,omitempty"`
	Ranked   []Candidate `json:"ranked"`
	Summary  string      `json:"summary"`
	Round    int         `json:"round"`
}

// Session identifies one session of a database server. A pid is used again; pid and the time at which the backend began
// (pg_stat_activity.backend_start) are not.
type Session struct {
	PID          int       `json:"pid"`
	BackendStart time.Time `json:"backend_start"`
	// QueryStart is when its present statement began: cancelling must not hit the next one. Zero where it has none.
	QueryStart  time.Time `json:"query_start,omitzero"`
	Application string    `json:"application"`
	// Statement is the beginning of what it runs or ran last.
	Statement string `json:"statement,omitempty"`
}

// Candidate is one cause with what speaks for it and against it, in sentences with figures.
type Candidate struct {
	Cause Cause `json:"cause"`
	// Score is between 0 (ruled out) and 1 (every sign is there).
	Score   float64  `json:"score"`
	For     []string `json:"for"`
	Against []string `json:"against"`
}

// Verdict is what one guard said about one action; refusals are kept as well as consents.
type Verdict struct {
	Guard   string    `json:"guard"`
	Remedy  string    `json:"remedy"`
	Target  string    `json:"target"`
	Allowed bool      `json:"allowed"`
	Reason  string    `json:"reason"`
	At      time.Time `json:"at"`
}

// Verification is the proof: the edge's own SLI, read directly.
type Verification struct {
	// Source is where the readings were taken, with the series.
	Source   string    `json:"source"`
	Required int       `json:"required"` // good readings in a row
	Readings []Reading `json:"readings"`
}

// Reading is one look at the edge's SLI: what passed between the reading before it and this one.
type Reading struct {
	At    time.Time `json:"at"`
	Total float64   `json:"total"` // checkouts, business refusals (4xx) left out
	Good  float64   `json:"good"`  // of those, completed (2xx but 202) within the objective
	// Accepted are those that were taken for later (202) within the objective. They count as good only where the remedy is
	// meant to mitigate.
	Accepted float64 `json:"accepted,omitempty"`
	// Shed are those that were turned away on purpose; they are in Total as well, and do not count where Accepted does.
	Shed float64 `json:"shed,omitempty"`
	OK   bool    `json:"ok"`
	// Status is unknown when the edge did not answer or nothing passed.
	Status FactStatus `json:"status"`
}

// Entry is one line of the append-only audit.
type Entry struct {
	Seq        int64     `json:"seq"`
	At         time.Time `json:"at"`
	IncidentID string    `json:"incident_id"`
	Kind       string    `json:"kind"` // alert, state, evidence, diagnosis, verdict, intent, result, undo, approval, note
	Text       string    `json:"text"`
}
