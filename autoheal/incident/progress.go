package incident

import "time"

// Progress is what a restarted healer needs to resume an incident. It is stored beside the record and is no part of
// it: nobody but the engine reads it.
type Progress struct {
	// Revision is how often the record has been written: whoever did not see the last time may not write.
	Revision int `json:"revision,omitempty"`
	// Looks counts the gatherings since the incident was last Received by an alert or a relapse.
	Looks int `json:"looks"`
	// LookingSince is when the first of these looks was.
	LookingSince time.Time `json:"looking_since,omitzero"`
	// Rounds counts all gatherings; Fact.Round comes from it.
	Rounds int `json:"rounds"`
	// Waves counts how often a rung was begun, whatever rung that was; it bounds the incident.
	Waves int `json:"waves"`
	// RungCause is the cause whose ladder the incident's rung counts on.
	RungCause Cause `json:"rung_cause,omitempty"`
	// Stands is the diagnosis on which the last action was decided; nil before there is one.
	Stands *Diagnosis `json:"stands,omitempty"`
	// Asked counts the questions to people.
	Asked int `json:"asked"`
	// Plan are the targets of the rung that is being tried.
	Plan []Target `json:"plan,omitempty"`
	// Refusals counts the looks in a row that ended in a refusal which time may lift.
	Refusals int `json:"refusals"`
	// RefusedSince is when the first of these was.
	RefusedSince time.Time `json:"refused_since,omitzero"`
	// SeenAlerts is how many alerts the incident had when the engine last looked at them.
	SeenAlerts int `json:"seen_alerts"`
	// Passed counts the looks in a row that showed the fault to have passed; Holds how often a change was taken back too
	// early, which makes the next hold longer.
	Passed int `json:"passed"`
	Holds  int `json:"holds"`
	// Baseline is the round of the evidence on which the standing change was decided.
	Baseline int `json:"baseline,omitempty"`
	// After is what follows when the changes are taken back; nil while they are not being.
	After *After `json:"after,omitempty"`
	// RootSpan is the span (hex) that every stage's span hangs from.
	RootSpan string `json:"root_span,omitempty"`
	// Unsampled says that this trace is not kept.
	Unsampled bool `json:"unsampled,omitempty"`
}

// After is where an incident goes from reverting, and why.
type After struct {
	State   State   `json:"state"`
	Outcome Outcome `json:"outcome,omitempty"`
	Reason  string  `json:"reason"`
}
