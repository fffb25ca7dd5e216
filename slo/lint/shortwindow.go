package lint

import (
	"time"

	"github.com/faultline-lab/faultline/slo/model"
	"github.com/faultline-lab/faultline/slo/profile"
)

var shortWindow = Lint{
	ID:    "short-window",
	About: "A window holds fewer than four scrapes, or fewer than four slices.",
	check: func(in Input) []Finding {
		var found []Finding
		if slice := in.SLO.Indicator.Slice.Window; slice > 0 {
			if slice*profile.Scrapes > in.Profile.Shortest() {
				found = append(found, at(in, model.AtSlice, Error,
					"the window of %s of profile %s holds fewer than %d slices of %s: use shorter slices, or another profile",
					model.Duration(in.Profile.Shortest()), in.Profile.Name, profile.Scrapes, model.Duration(slice)))
			}
			if in.Interval*profile.Scrapes > slice {
				found = append(found, at(in, model.AtSlice, Error,
					"a slice of %s holds fewer than %d scrapes of every %s: use longer slices, or scrape every %s",
					model.Duration(slice), profile.Scrapes, in.Interval, (slice/profile.Scrapes).Truncate(time.Second)))
			}
		}
		for _, window := range in.Profile.Windows() {
			if in.Interval*profile.Scrapes > window {
				found = append(found, at(in, model.AtIndicator, Error,
					"the window of %s of profile %s holds fewer than %d scrapes of every %s: a rate over it is a guess; scrape every %s or more often",
					model.Duration(window), in.Profile.Name, profile.Scrapes, in.Interval, (window/profile.Scrapes).Truncate(time.Second)))
			}
		}
		return found
	},
}
