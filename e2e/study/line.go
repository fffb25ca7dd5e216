package study

import "fmt"

// Line is one trial in one line, for progress.
func Line(result Result) string {
	who := fmt.Sprintf("%s, %-11s", result.Trial.Experiment, result.Trial.Arm)
	r := result.Record
	switch {
	case result.Error != "":
		return fmt.Sprintf("%s  BROKE OFF: %s", who, result.Error)
	case r.MTTR != nil:
		return fmt.Sprintf("%s  recovered, MTTR %.0f s, cause %s, %d actions, %d of %d failed",
			who, *r.MTTR, r.CauseDiagnosed, len(r.Actions), r.Failed, r.Requests)
	case r.Recovered == nil:
		return fmt.Sprintf("%s  nothing to recover from, cause %q, %d actions, %d of %d failed",
			who, r.CauseDiagnosed, len(r.Actions), r.Failed, r.Requests)
	case r.Mitigated != nil:
		return fmt.Sprintf("%s  mitigated after %.0f s, cause %s, %d actions, %d of %d failed",
			who, *r.Mitigated, r.CauseDiagnosed, len(r.Actions), r.Failed, r.Requests)
	default:
		return fmt.Sprintf("%s  not recovered, cause %q, %d actions, %d of %d failed",
			who, r.CauseDiagnosed, len(r.Actions), r.Failed, r.Requests)
	}
}
