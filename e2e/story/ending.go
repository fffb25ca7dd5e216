package story

import (
	"fmt"
	"strings"

	"github.com/faultline-lab/faultline/e2e/record"
)

// Ending sums a trial up in a few lines: what the numbers are and what they mean.
func Ending(r record.Record) string {
	var out strings.Builder
	fmt.Fprintf(&out, "%s, arm %s: %s.\n", r.Experiment, r.Arm, verdict(r))
	row := func(what string, seconds *float64, note string) {
		if seconds != nil {
			fmt.Fprintf(&out, "  %-28s %6.2f s   %s\n", what, *seconds, note)
		}
	}
	row("first bad second -> alert", r.MTTD, "MTTD: Prometheus and its rules")
	row("webhook -> action", record.Between(r.Stages.WebhookReceived, r.Stages.ActionStarted), "evidence, diagnosis, guards")
	row("action", record.Between(r.Stages.ActionStarted, r.Stages.ActionFinished), "one replica at a time")
	row("first bad second -> recovery", r.MTTR, "MTTR: as the client saw it, ten good seconds running")
	fmt.Fprintf(&out, "  %-28s %6d     of %d since the injection\n", "checkouts that failed", r.Failed, r.Requests)
	if r.CauseDiagnosed != "" {
		fmt.Fprintf(&out, "  %-28s %s\n", "cause named", r.CauseDiagnosed)
	}
	for _, action := range r.Actions {
		fmt.Fprintf(&out, "  %-28s %s %s: %s\n", "remedy", action.Remedy, action.Target, action.Result)
	}
	if disorder := r.Stages.OutOfOrder(); disorder != "" {
		fmt.Fprintf(&out, "  stages out of order: %s\n", disorder)
	}
	for _, note := range r.Notes {
		fmt.Fprintf(&out, "  note: %s\n", note)
	}
	return out.String()
}

func verdict(r record.Record) string {
	switch {
	case r.Recovered == nil:
		return "a control, with nothing to recover from"
	case *r.Recovered:
		return "recovered"
	case r.FaultStillPresent != nil && *r.FaultStillPresent:
		return "NOT recovered, the fault was still in force at the end"
	default:
		return "NOT recovered"
	}
}
