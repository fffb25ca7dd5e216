package lint

import (
	"maps"
	"slices"
	"strings"

	"github.com/faultline-lab/faultline/slo/openslo"
)

var staleAccept = Lint{
	ID:    "stale-accept",
	About: "An accepted lint that there is not.",
	check: func(in Input) []Finding {
		var found []Finding
		for _, id := range slices.Sorted(maps.Keys(in.SLO.Accepted)) {
			if !slices.Contains(ids, id) {
				found = append(found, at(in, openslo.Prefix+"accept-"+id, Error,
					"accepts %q, which is no lint; there are: %s", id, strings.Join(ids, ", ")))
			}
		}
		return found
	},
}

// ids are those of All; a test holds them together.
var ids = []string{
	"never-fires", "short-window", "low-traffic", "budget-under-one-event", "absent-data", "unknown-metric", "no-runbook", "stale-accept",
}
