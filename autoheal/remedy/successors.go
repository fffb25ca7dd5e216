package remedy

import (
	"slices"
	"strings"
	"time"

	"github.com/faultline-lab/faultline/autoheal/workload"
)

// clockSlack is how far the clocks of the healer and of whoever starts replicas may disagree, whole seconds included,
// where only the time of a start tells what came after an intent.
const clockSlack = 5 * time.Second

// successors are the ready replicas that took the place of the one that was restarted: those that were not there before.
// Where an earlier life of the healer asked, nobody knows who was there; then it is those that started since.
func (r *restart) successors(seen workload.Workload) []string {
	var found []string
	for _, replica := range seen.Replicas {
		recent := !r.before[replica.ID]
		if r.before == nil {
			recent = !replica.StartedAt.Before(r.IntendedAt.Add(-clockSlack))
		}
		if replica.State == workload.Ready && replica.ID != r.Target.Name && recent {
			found = append(found, replica.ID)
		}
	}
	slices.Sort(found)
	return found
}

func ids(seen workload.Workload) map[string]bool {
	there := map[string]bool{}
	for _, replica := range seen.Replicas {
		there[replica.ID] = true
	}
	return there
}

func list(names []string) string { return strings.Join(names, ", ") }
