package lint

import "github.com/faultline-lab/faultline/slo/model"

var neverFires = Lint{
	ID:    "never-fires",
	About: "A burn rate needs more than every event to fail.",
	check: func(in Input) []Finding {
		var found []Finding
		for _, pair := range pairs(in) {
			// At exactly 1 it cannot fire either: the ratio must be more. 1 - 0.9 is a hair less than a tenth.
			if ratio := threshold(in, pair); ratio > 1-1e-9 {
				found = append(found, at(in, model.AtObjective, Error,
					"with an objective of %s, %v times the budget is %s of all events: the %s/%s pair of profile %s can never fire; promise more, or use another profile",
					percent(in.SLO.For(in.Profile.Name)), pair.BurnRate, percent(ratio), model.Duration(pair.Long), model.Duration(pair.Short), in.Profile.Name))
			}
		}
		return found
	},
}
