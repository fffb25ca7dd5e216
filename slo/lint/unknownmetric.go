package lint

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/faultline-lab/faultline/slo/openslo"
)

var unknownMetric = Lint{
	ID:    "unknown-metric",
	About: "A query asks for a metric, a label or a value that no program emits.",
	check: func(in Input) []Finding {
		if in.Contract == nil {
			return nil
		}
		asked := map[string]string{}
		for part, query := range in.SLO.Indicator.Queries() {
			asked[part] = query.Over(5 * time.Minute)
		}
		if present := in.SLO.Alerting.Present; present != "" {
			asked[openslo.Prefix+"present"] = present
		}
		var found []Finding
		for _, part := range slices.Sorted(maps.Keys(asked)) {
			if err := in.Contract.CheckPromQL(asked[part]); err != nil {
				// The query itself is in the file that the place names.
				reason := strings.ReplaceAll(strings.TrimPrefix(err.Error(), asked[part]+": "), "\n", "; ")
				found = append(found, at(in, part, Error, "the telemetry contract does not have it: %s", reason))
			}
		}
		return found
	},
}
