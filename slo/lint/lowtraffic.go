package lint

import (
	"github.com/faultline-lab/faultline/slo/model"
	"github.com/faultline-lab/faultline/slo/rulefile"
)

var lowTraffic = Lint{
	ID:    "low-traffic",
	About: "A single bad event trips the alert, or nothing can: there is too little traffic for the windows.",
	check: func(in Input) []Finding {
		if !in.SLO.Indicator.Counted() {
			return nil // samples come whether there is traffic or not
		}
		if in.Rate == 0 {
			return []Finding{at(in, model.AtTotal, Warning,
				"nobody says how much traffic there is, so nobody knows whether one bad event is a page: "+
					"add the annotation faultline.dev/expected-rate: 40/s, or use --rate or --prometheus")}
		}
		minimum := rulefile.MinimumBad(in.SLO, in.Profile)
		var found []Finding
		for _, pair := range pairs(in) {
			long, short := model.Duration(pair.Long), model.Duration(pair.Short)
			switch {
			case threshold(in, pair)*events(in, pair.Long) < 1 && minimum < 1:
				found = append(found, at(in, model.AtTotal, Error,
					"at %.3g events a second one bad event trips the %s/%s pair of profile %s, because %s has %.3g of them: "+
						"raise faultline.dev/minimum-bad, judge samples (thresholdMetric) or slices of time, or accept it",
					in.Rate, long, short, in.Profile.Name, long, events(in, pair.Long)))
			case events(in, pair.Short) <= minimum:
				found = append(found, at(in, model.AtTotal, Error,
					"at %.3g events a second %s has %.3g of them, and the %s/%s pair of profile %s waits for more than %v bad ones: "+
						"not even an outage trips it; lower faultline.dev/minimum-bad, or judge samples or slices of time",
					in.Rate, short, events(in, pair.Short), long, short, in.Profile.Name, minimum))
			}
		}
		return found
	},
}
