package diagnose

import (
	"fmt"

	"github.com/faultline-lab/faultline/autoheal/evidence"
	"github.com/faultline-lab/faultline/autoheal/incident"
)

// parts are where the time of slow orders should go, by cause; as the traces name it.
func parts() map[incident.Cause]string {
	return map[incident.Cause]string{
		incident.ConnectionLeak: "pool.acquire", incident.BadRelease: "pool.acquire", incident.SlowQuery: "pool.acquire",
		incident.TrafficSurge: "pool.acquire", incident.ServerCap: "pool.connect", incident.NetworkLatency: "sql of orders",
		incident.LockContention: "sql of inventory", incident.SlowDownstream: "call of payments",
	}
}

// corroborate says what logs and traces add to a cause that is named without them: they may be late or missing, so nothing
// hangs on them.
func corroborate(facts evidence.Facts, cause incident.Cause) []string {
	var said []string
	if part, known := facts.Get(evidence.TracePart, parts()[cause]); known {
		said = append(said, fmt.Sprintf("slow orders spend %.2f s in %s (%s)", part.Value, part.Subject, part.Detail))
	}
	for _, lines := range of(facts, evidence.ErrorLines) {
		if lines.Subject != "all" && lines.Value > 0 {
			return append(said, fmt.Sprintf("most of the errors in the logs are %s (%g, %s)", lines.Subject, lines.Value, lines.Detail))
		}
	}
	return said
}
