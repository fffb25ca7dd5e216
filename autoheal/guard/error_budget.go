package guard

import (
	"slices"

	"github.com/faultline-lab/faultline/slo/policy"
)

// errorBudget forbids risk where the error budget is spent, and never a heal that can be taken back. A budget that could not
// be read asks for care.
func errorBudget(r Request) Answer {
	verdict := policy.Verdict{Level: policy.Cautious, Reason: "what is left of the error budget could not be read"}
	if r.Budget != nil {
		verdict = *r.Budget
	}
	switch {
	case !r.destroys():
		return yes("%s destroys nothing, so it may be done with any budget (%s: %s)", r.Remedy, verdict.Level, verdict.Reason)
	case r.Approved != "":
		return yes("%s has approved %s, with the budget as it is (%s: %s)", r.Approved, r.Remedy, verdict.Level, verdict.Reason)
	}
	switch verdict.Level {
	case policy.Free:
		return yes("the error budget allows risks: %s", verdict.Reason)
	case policy.Cautious:
		if r.sparesTheWell() {
			return yes("the error budget asks for care (%s), and %s only hits what shows the fault", verdict.Reason, r.Remedy)
		}
		return never("the error budget asks for care (%s), and %s on %s also hits what is well: a person must approve it", verdict.Reason,
			r.Remedy, r.Target.Name)
	default:
		return never("the error budget is %s (%s), and %s cannot be taken back: a person must approve it", verdict.Level, verdict.Reason, r.Remedy)
	}
}

// sparesTheWell says whether all that the remedy can hit shows the fault: the target itself, or every replica that it would
// replace.
func (r Request) sparesTheWell() bool {
	if slices.Contains(r.Failing, r.Target.Name) {
		return true
	}
	hit := r.replaced()
	return len(hit) > 0 && len(r.stillServing(hit)) == 0
}
