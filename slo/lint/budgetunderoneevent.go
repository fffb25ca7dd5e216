package lint

import "github.com/faultline-lab/faultline/slo/model"

var budgetUnderOneEvent = Lint{
	ID:    "budget-under-one-event",
	About: "The budget of a whole period is less than one bad event.",
	check: func(in Input) []Finding {
		if !in.SLO.Indicator.Counted() || in.Rate == 0 {
			return nil
		}
		period := in.SLO.Period
		allowed := events(in, period) * (1 - in.SLO.Objective)
		if allowed >= 1 {
			return nil
		}
		return []Finding{at(in, model.AtObjective, Error,
			"at %.3g events a second %s has %.3g of them, of which %s is %.2g: the first bad event breaks the promise; promise less, or over a longer period",
			in.Rate, model.Duration(period), events(in, period), percent(1-in.SLO.Objective), allowed)}
	},
}
