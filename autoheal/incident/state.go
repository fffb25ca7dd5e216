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
	Decided     State = "decided"     // a remedy, allowed by every guard
	Acting      State = "acting"      // the intent is on disk; the effect may have happened
	Verifying   State = "verifying"   // waiting for the edge's SLI
	Stabilising State = "stabilising" // well again; a relapse now takes the next rung
	Closed      State = "closed"
	Escalated   State = "escalated" // a person has it
)

// transitions is the whole state machine.
var transitions = map[State][]State{
	Received:    {Diagnosed, Closed, Escalated},
	Diagnosed:   {Received, Decided, Closed, Escalated}, // back to Received: gather once more
	Decided:     {Acting, Received, Closed, Escalated},  // back to Received: the live state had changed
	Acting:      {Verifying, Escalated},
	Verifying:   {Stabilising, Received, Escalated}, // back to Received: next rung
	Stabilising: {Closed, Received, Escalated},
	Closed:      {},
	Escalated:   {},
}

// Outcome is how an ended incident ended.
type Outcome string

// The outcomes.
const (
	Recovered     Outcome = "recovered"      // the healer acted, and the edge proved it
	SelfRecovered Outcome = "self-recovered" // the symptom was gone before any action
	HandedOver    Outcome = "handed-over"    // escalated to a person
)

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
