package efficacy

import (
	"fmt"
	"slices"
	"time"

	"github.com/faultline-lab/faultline/chaos/experiment"
	"github.com/faultline-lab/faultline/e2e/record"
)

// Expectation is what an experiment must show.
type Expectation string

// The expectations.
const (
	// Effect: customers suffer, the alert fires, and the fault is there until it is taken away.
	Effect Expectation = "effect"
	// AlertAlone: the alert fires, and no customer second is bad.
	AlertAlone Expectation = "alert alone"
	// Nothing: no alert fires, and no customer second is bad.
	Nothing Expectation = "nothing"
)

// Of reads from an experiment what it must show: a control has no cause to be named.
func Of(e experiment.Experiment) Expectation {
	switch {
	case e.Expect.Cause != "" || e.Expect.Unknown:
		return Effect
	case e.Expect.Alert != "":
		return AlertAlone
	default:
		return Nothing
	}
}

// Row is what one experiment showed on the real stack.
type Row struct {
	Experiment string
	Seed       int64
	Expected   Expectation
	Alert      string // the expected one; empty where none is
	// FirstBad and AlertFiring count from the injection, in seconds; nil where it did not happen.
	FirstBad, AlertFiring *float64
	Fired                 []string // every alert that fired
	Requests, Failed      int
	// StillPresent is the driver's word at the end of the window, before anything was taken away; nil when nobody could tell.
	StillPresent *bool
	// Steady is how long after the fault was taken away the steady state had come back, in seconds; nil when it did not.
	Steady *float64
	// Left names experiments that were still on record then.
	Left []string
}

// NewRow takes from a trial's record what concerns the gate. The way back is filled in later.
func NewRow(e experiment.Experiment, r record.Record) Row {
	return Row{
		Experiment: e.Name, Seed: r.Seed, Expected: Of(e), Alert: e.Expect.Alert,
		FirstBad:    record.Between(r.Stages.Injected, r.Stages.FirstBad),
		AlertFiring: record.Between(r.Stages.Injected, r.Stages.AlertFiring),
		Fired:       r.Alerts, Requests: r.Requests, Failed: r.Failed, StillPresent: r.FaultStillPresent,
	}
}

// Back notes how long the way back took and what was left.
func (r *Row) Back(took time.Duration, left []string) {
	seconds := took.Seconds()
	r.Steady, r.Left = &seconds, left
}

// Missed lists in sentences what the experiment did not show; empty means that it passed.
func (r Row) Missed() []string {
	var missed []string
	miss := func(format string, args ...any) { missed = append(missed, fmt.Sprintf(format, args...)) }
	if r.Expected == Effect && r.FirstBad == nil {
		miss("no customer second was bad: the fault had no effect on %d checkouts", r.Requests)
	}
	if r.Expected != Effect && r.FirstBad != nil {
		miss("a customer second was bad %.1f s after the injection, which a control must never cause", *r.FirstBad)
	}
	if r.Expected != Nothing && !slices.Contains(r.Fired, r.Alert) {
		miss("%s did not fire", r.Alert)
	}
	for _, alert := range r.Fired {
		if r.Expected == Nothing || r.Expected == AlertAlone && alert != r.Alert {
			miss("%s fired, and should not", alert)
		}
	}
	switch {
	case r.Expected != Effect:
	case r.StillPresent == nil:
		miss("nobody could tell whether the fault was still there")
	case !*r.StillPresent:
		miss("the fault was gone before anybody took it away")
	}
	if r.Steady == nil {
		miss("the steady state did not come back")
	}
	if len(r.Left) > 0 {
		miss("still on record afterwards: %v", r.Left)
	}
	return missed
}
