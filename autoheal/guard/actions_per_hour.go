package guard

import (
	"fmt"
	"time"
)

// actionsPerHour bounds the actions of any hour. The restarts of one rolling restart are one action.
func actionsPerHour(r Request) Answer {
	if r.Effects == nil {
		return soon("the past actions could not be read")
	}
	// Each action counts by its latest effect: it leaves the hour when that one does.
	latest := map[string]time.Time{}
	for _, e := range r.Effects {
		if happened(e) && !r.sameAction(e) && r.At.Sub(e.StartedAt) < time.Hour {
			key := fmt.Sprintf("%s/%d/%s", e.IncidentID, e.Rung, e.Remedy)
			if e.StartedAt.After(latest[key]) {
				latest[key] = e.StartedAt
			}
		}
	}
	if len(latest) < r.Limits.PerHour {
		return yes("%d actions in the last hour; the limit is %d", len(latest), r.Limits.PerHour)
	}
	first := r.At
	for _, t := range latest {
		if t.Before(first) {
			first = t
		}
	}
	return until(first.Add(time.Hour), "%d actions in the last hour; the limit is %d", len(latest), r.Limits.PerHour)
}
