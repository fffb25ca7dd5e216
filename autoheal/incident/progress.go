package incident

// Progress is what a restarted healer needs to resume an incident. It is stored beside the record and is no part of
// it: nobody but the engine reads it.
type Progress struct {
	// Looks counts the gatherings since the incident was last Received by an alert or a relapse.
	Looks int `json:"looks"`
	// Rounds counts all gatherings; Fact.Round comes from it.
	Rounds int `json:"rounds"`
	// Waves counts how often a rung was begun, whatever rung that was; it bounds the incident.
	Waves int `json:"waves"`
	// Plan are the targets of the rung that is being tried.
	Plan []Target `json:"plan,omitempty"`
	// Refusals counts the looks in a row that ended in a refusal which time may lift.
	Refusals int `json:"refusals"`
	// SeenAlerts is how many alerts the incident had when the engine last looked at them.
	SeenAlerts int `json:"seen_alerts"`
	// RootSpan is the span (hex) that every stage's span hangs from.
	RootSpan string `json:"root_span,omitempty"`
	// Unsampled says that this trace is not kept.
	Unsampled bool `json:"unsampled,omitempty"`
}

// Target is one replica that a remedy is meant for, as it was when it was judged.
type Target struct {
	Workload string `json:"workload"`
	Replica  string `json:"replica"`
	StartID  string `json:"start_id"`
	State    string `json:"state"`
}
