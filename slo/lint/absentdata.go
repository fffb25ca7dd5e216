package lint

import "github.com/faultline-lab/faultline/slo/model"

var absentData = Lint{
	ID:    "absent-data",
	About: "Nobody is told when there is nothing to measure.",
	check: func(in Input) []Finding {
		if in.SLO.Alerting.Present != "" || in.SLO.Alerting.IgnoreAbsent {
			return nil
		}
		return []Finding{at(in, model.AtName, Error,
			"without data there is no ratio, and so no alert: a source that has gone looks like one that is well; "+
				"add the annotation faultline.dev/present: up{job=\"...\"} == 1, or faultline.dev/absent-data: ignore")}
	},
}
