package decide

import (
	"fmt"
	"slices"
	"strings"

	"github.com/faultline-lab/faultline/autoheal/guard"
	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/playbook"
	"github.com/faultline-lab/faultline/autoheal/remedy"
)

// Situation is all that a choice is made from.
type Situation struct {
	Playbook playbook.Playbook
	Remedies map[string]remedy.Remedy
	Sight    remedy.Sight
	// Actions are those of the incident so far.
	Actions []incident.Action
	// Rung is the first that may be chosen: those before it did not help.
	Rung int
}

// Choice is what is to be done. Exactly one of Targets, Wait and Exhausted says something.
type Choice struct {
	Rung    int
	Step    playbook.Rung
	Remedy  remedy.Remedy
	Targets []incident.Target
	// Passed are the rungs that were passed over, and why, in sentences.
	Passed []string
	// Wait is why nothing can be done at this moment.
	Wait string
	// Exhausted is why nothing can be done at all.
	Exhausted string
}

// Choose goes up the ladder of the diagnosed cause to the first rung that was not tried on what is sick now, and that has
// something to act on. What has only now fallen ill gets the rung that others have had: nothing was tried on it yet.
func Choose(s Situation) Choice {
	cause := s.Sight.Diagnosis.Cause
	ladder := s.Playbook.Ladder(cause)
	if len(ladder) == 0 {
		return Choice{Exhausted: fmt.Sprintf("the playbook has no ladder for %s", cause)}
	}
	c := Choice{Rung: s.Rung}
	for ; c.Rung < len(ladder); c.Rung++ {
		step := ladder[c.Rung]
		r := s.Remedies[step.Remedy]
		if r == nil {
			c.Passed = append(c.Passed, fmt.Sprintf("rung %d, %s: this healer does not have it", c.Rung+1, step.Remedy))
			continue
		}
		targets, why := r.Targets(s.Sight, step.With)
		if len(targets) == 0 && guard.Harmful(cause, step.Remedy) != "" {
			targets = whole(s.Sight.Diagnosis)
		}
		if len(targets) == 0 && wait(s.Sight, r) {
			c.Step, c.Remedy, c.Wait = step, r, why
			return c
		}
		again := s.tried(step.Remedy, r, targets)
		switch {
		case len(again) > 0:
			c.Passed = append(c.Passed, fmt.Sprintf("rung %d, %s, did not hold: %s shows %s again", c.Rung+1, step.Remedy,
				strings.Join(again, ", "), cause))
		case len(targets) == 0:
			c.Passed = append(c.Passed, fmt.Sprintf("rung %d, %s: %s", c.Rung+1, step.Remedy, why))
		default:
			c.Step, c.Remedy, c.Targets = step, r, targets
			return c
		}
	}
	c.Exhausted = fmt.Sprintf("the ladder for %s is exhausted after %d rungs: %s", cause, len(ladder), s.Sight.Diagnosis.Summary)
	if len(c.Passed) > 0 {
		c.Exhausted += " (" + strings.Join(c.Passed, "; ") + ")"
	}
	return c
}

// whole is the workload at the root, as a target of what would do harm and finds nothing to do it to: that the playbook asks for
// it is refused by the harm list, with the reason why, and not passed over because there was nothing to act on this time.
func whole(d incident.Diagnosis) []incident.Target {
	if d.Workload == "" {
		return nil
	}
	return []incident.Target{{Kind: incident.WorkloadTarget, Workload: d.Workload, Name: d.Workload, State: "asked for by the playbook"}}
}

// wait says whether that there is no target may be a matter of a moment: nobody could list what is there, or a replica that
// is to be restarted is just not on the list.
func wait(seen remedy.Sight, r remedy.Remedy) bool {
	missing := slices.ContainsFunc(seen.Diagnosis.Subjects, func(subject string) bool { return !seen.HasReplica(subject) })
	return len(seen.Workloads) == 0 || r.Traits().EndsRequests && missing
}

// tried are the targets on which the remedy was tried, or on those whose place they took. Where all of those are gone, any
// target may have taken the place.
func (s Situation) tried(name string, r remedy.Remedy, targets []incident.Target) []string {
	var again []string
	for _, a := range s.Actions {
		if a.Remedy != name || a.Result == incident.ResultSkipped || a.Undo != nil && a.Undo.Passed {
			continue
		}
		if r.Traits().Lasting && a.Changed() || len(targets) == 0 && a.FinishedAt != nil {
			again = append(again, a.Target) // it stands, and the fault is there all the same
			continue
		}
		heirs := append([]string{a.Target}, a.ReplacedBy...)
		lost := a.Kind == incident.ReplicaTarget && !slices.ContainsFunc(heirs, s.Sight.HasReplica)
		for _, t := range targets {
			if (lost || slices.Contains(heirs, t.Name)) && !slices.Contains(again, t.Name) {
				again = append(again, t.Name)
			}
		}
	}
	slices.Sort(again)
	return slices.Compact(again)
}
