package guard

import (
	"fmt"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
)

// actionsPerHour bounds the actions of any hour. The restarts of one rolling restart are one action; the same thing done again
// to the same target is another.
func actionsPerHour(r Request) Answer {
	if r.Effects == nil {
		return soon("the past actions could not be read")
	}
	// Each action counts by its latest effect: it leaves the hour when that one does.
	count := map[string]int{}
	latest := map[string]time.Time{}
	for _, e := range r.Effects {
		if !happened(e) {
			continue
		}
		key := actionOf(e, count)
		if at := e.LastAt(r.At); r.At.Sub(at) < time.Hour && at.After(latest[key]) {
			latest[key] = at
		}
	}
	// What the request is a part of has been counted already, or would not be an action of its own.
	delete(latest, actionOf(incident.Effect{
		IncidentID: r.IncidentID, Rung: r.Rung, Remedy: r.Remedy, Replica: r.Target.Name,
	}, count))
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

// actionOf names the action that an effect is a part of: a remedy of one rung of one incident, and how many times it was done
// to this target by then. The count is kept between calls, which must come in the order of time.
func actionOf(e incident.Effect, count map[string]int) string {
	action := fmt.Sprintf("%s/%d/%s", e.IncidentID, e.Rung, e.Remedy)
	target := action + "/" + e.Replica
	count[target]++
	return fmt.Sprintf("%s/%d", action, count[target])
}
