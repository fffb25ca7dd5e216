package study

import "fmt"

// Line is one trial in one line, for progress.
func Line(result Result) string {
	who := fmt.Sprintf("%s, %-6s", result.Trial.Experiment, result.Trial.Arm)
	r := result.Record
	switch {
	case result.Error != "":
		return fmt.Sprintf("%s  BROKE OFF: %s", who, result.Error)
	case r.MTTR != nil:
		return fmt.Sprintf("%s  recovered, MTTR %.0f s, cause %s, %d actions, %d of %d failed",
			who, *r.MTTR, r.CauseDiagnosed, len(r.Actions), r.Failed, r.Requests)
	default:
		return fmt.Sprintf("%s  not recovered, %d of %d failed", who, r.Failed, r.Requests)
	}
}
