package incident

import (
	"fmt"
	"slices"
	"time"
)

// State is where an incident stands. A restarted healer resumes each open incident from it.
type State string

// The states, in the order of a heal that goes well.
const (
	Received    State = "received"    // persisted; evidence is not yet gathered
	Diagnosed   State = "diagnosed"   // a cause, or inconclusive
	Awaiting    State = "awaiting"    // a person was asked
	Decided     State = "decided"     // a remedy, allowed by every guard
	Acting      State = "acting"      // the intent is on disk; the effect may have happened
	Verifying   State = "verifying"   // waiting for the edge's SLI
	Stabilising State = "stabilising" // well again; a relapse now takes the next rung
	Holding     State = "holding"     // well as long as a change stands, which is renewed while the fault lasts
	Reverting   State = "reverting"   // changes are being taken back
	Closed      State = "closed"
	Escalated   State = "escalated" // a person has it
)

// transitions is the whole state machine.
var transitions = map[State][]State{
	Received:    {Diagnosed, Closed, Reverting, Escalated},
	Diagnosed:   {Received, Awaiting, Decided, Closed, Reverting, Escalated}, // back to Received: gather once more
	Awaiting:    {Received, Reverting, Escalated},                            // approved: the diagnosis is repeated
	Decided:     {Acting, Received, Closed, Reverting, Escalated},            // back to Received: the live state had changed
	Acting:      {Verifying, Reverting, Escalated},
	Verifying:   {Stabilising, Received, Reverting, Escalated}, // back to Received: next rung
	Stabilising: {Closed, Holding, Received, Reverting, Escalated},
	Holding:     {Received, Reverting, Escalated},
	Reverting:   {Stabilising, Received, Closed, Escalated},
	Closed:      {},
	Escalated:   {},
}

// Outcome is how an ended incident ended.
type Outcome string

// The outcomes.
const (
	Recovered     Outcome = "recovered"      // the healer acted, and the edge proved it
	SelfRecovered Outcome = "self-recovered" // the symptom was gone before any action
	Harmless      Outcome = "harmless"       // the symptom lasts, but no customer suffers from it and no cause is there
	HandedOver    Outcome = "handed-over"    // escalated to a person
)

// Outcomes lists them all.
func Outcomes() []Outcome { return []Outcome{Recovered, SelfRecovered, Harmless, HandedOver} }

// Open says whether the incident still needs the healer.
func (s State) Open() bool { return s != Closed && s != Escalated }

// Move sets the state and the time of its stage. It returns an error, and changes nothing, when the state machine has
// no such transition.
func (in *Incident) Move(to State, reason string, at time.Time) error {
	if !slices.Contains(transitions[in.State], to) {
		return fmt.Errorf("incident %s: no transition from %s to %s", in.ID, in.State, to)
	}
	in.State, in.Reason = to, reason
	first := func(stage **time.Time) {
		if *stage == nil {
			*stage = &at
		}
	}
	switch to {
	case Diagnosed:
		if in.Stages.Decided == nil { // the one that the decision stands on, not a first that was inconclusive
			in.Stages.Diagnosed = &at
		}
	case Decided:
		first(&in.Stages.Decided)
	case Acting:
		first(&in.Stages.ActionStarted)
	case Verifying:
		in.Stages.ActionFinished = &at
	case Stabilising:
		in.Stages.Verified = &at
	case Closed, Escalated:
		in.Stages.Ended = &at
	}
	return nil
}
