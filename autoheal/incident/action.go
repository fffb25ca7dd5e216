package incident

import (
	"encoding/json"
	"time"
)

// TargetKind says what a target is.
type TargetKind string

// The kinds of targets.
const (
	ReplicaTarget  TargetKind = "replica"  // one replica; Is is its start id
	WorkloadTarget TargetKind = "workload" // a workload; Is and To are numbers of replicas, or versions
	SessionsTarget TargetKind = "sessions" // database sessions of one application; Sessions are who they are
	EdgeTarget     TargetKind = "edge"     // the edge; Is and To are modes, or weights
)

// Target is what a remedy is meant for, as it was when it was judged.
type Target struct {
	Kind TargetKind `json:"kind"`
	// Workload is whom the guards judge: whose replica it is, whose database the sessions are in, or the edge's own.
	Workload string `json:"workload"`
	// Name is the replica's id, the workload's name, the application's name, or the edge's workload.
	Name string `json:"name"`
	// Is is what must still be so when the effect happens, and what an undo goes back to; To is what the remedy makes of it,
	// and empty where there is nothing to go back from.
	Is string `json:"is"`
	To string `json:"to,omitempty"`
	// State is what was seen, in words.
	State    string    `json:"state"`
	Sessions []Session `json:"sessions,omitempty"`
}

// Action is one effect on the world: its intent is stored before it happens, its result after.
type Action struct {
	// Key identifies the effect (incident, wave, rung, target); a retry has the same key and at most one effect.
	Key    string     `json:"key"`
	Rung   int        `json:"rung"`
	Remedy string     `json:"remedy"`
	Kind   TargetKind `json:"kind"`
	Target string     `json:"target"`
	// Precondition must still hold when the effect happens: the start id, the mode, the size or version that was judged.
	Precondition string `json:"precondition"`
	PreState     string `json:"pre_state"`

	StartedAt  time.Time  `json:"started_at"`
	FinishedAt *time.Time `json:"finished_at"`
	Result     string     `json:"result,omitempty"` // done, skipped, failed
	Detail     string     `json:"detail,omitempty"`
	// ReplacedBy are the replicas that took the target's place, where a restart gives another name (Kubernetes).
	ReplacedBy []string `json:"replaced_by,omitempty"`
	// Undo is the change that the action left in the world; nil where it left none that could be taken back.
	Undo *Undo `json:"undo,omitempty"`
}

// Undo is a change that was made and can be taken back. Its record is written with the intent of the action, before
// anything changes.
type Undo struct {
	// Target is what was changed, from Is to To.
	Target Target `json:"target"`
	// Params are those that it was changed with.
	Params map[string]string `json:"params,omitempty"`
	// Lasting means that the change is for as long as the fault lasts; it is taken back afterwards. Else it is taken back
	// only when it did not help.
	Lasting bool `json:"lasting"`
	// Until is when whoever carries the change takes it back by himself, if it is not renewed; nil where nobody does.
	Until *time.Time `json:"until,omitempty"`

	State ChangeState `json:"state"`
	// Passed means that it was taken back because the fault had passed, and not because it did not help.
	Passed     bool       `json:"passed,omitempty"`
	StartedAt  *time.Time `json:"started_at,omitempty"` // of taking it back
	FinishedAt *time.Time `json:"finished_at,omitempty"`
	Detail     string     `json:"detail,omitempty"`
}

// ChangeState is what has become of a change.
type ChangeState string

// The states of a change. An incident ends only when none of its changes is standing or undoing.
const (
	Standing ChangeState = "standing"
	Undoing  ChangeState = "undoing" // the intent to take it back is on disk
	Undone   ChangeState = "undone"
	Kept     ChangeState = "kept" // it is the cure, and stays
	Left     ChangeState = "left" // it could not be taken back, or somebody else changed it since: a person owns it
)

// Changed says whether the action may have changed what can be taken back.
func (a Action) Changed() bool {
	return a.Undo != nil && (a.Undo.State == Standing || a.Undo.State == Undoing)
}

// Approval is a question to a person, and the answer. No answer until it expires is a no.
type Approval struct {
	Cause   Cause     `json:"cause"`
	Remedy  string    `json:"remedy"`
	Targets []string  `json:"targets"`
	AskedAt time.Time `json:"asked_at"`
	Expires time.Time `json:"expires"`
	// Answer is approved, denied, expired, or empty while there is none.
	Answer  string     `json:"answer,omitempty"`
	By      string     `json:"by,omitempty"`
	Comment string     `json:"comment,omitempty"`
	At      *time.Time `json:"at,omitempty"`
}

// Answers of an approval.
const (
	Approved = "approved"
	Denied   = "denied"
	Expired  = "expired"
)

// Results of an action.
const (
	ResultDone    = "done"
	ResultSkipped = "skipped"
	ResultFailed  = "failed"
)

// Decision is one choice as it was made: replay makes it again.
type Decision struct {
	At     time.Time `json:"at"`
	Round  int       `json:"round"` // of the evidence
	Cause  Cause     `json:"cause"`
	From   int       `json:"from"` // the rung from which on it was chosen
	Rung   int       `json:"rung"`
	Remedy string    `json:"remedy,omitempty"`
	// Targets are the names of what the remedy would act on; Result says what the guards made of it.
	Targets []string `json:"targets,omitempty"`
	Result  string   `json:"result"` // decided, refused, asked, proposed, wait, exhausted
	Reason  string   `json:"reason,omitempty"`
	// Actions is how many actions the incident had by then.
	Actions int `json:"actions"`
	// Seen is what the targets were chosen from, beside the facts: the live workloads and the edge's state.
	Seen json.RawMessage `json:"seen"`
}
