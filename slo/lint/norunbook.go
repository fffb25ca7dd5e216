package lint

import "github.com/faultline-lab/faultline/slo/model"

var noRunbook = Lint{
	ID:    "no-runbook",
	About: "An alert says what is wrong and not what to do.",
	check: func(in Input) []Finding {
		if in.SLO.Alerting.Runbook != "" {
			return nil
		}
		return []Finding{at(in, model.AtName, Warning,
			"its alerts have no runbook: whoever is woken wants to know what to do; add the annotation faultline.dev/runbook")}
	},
}
