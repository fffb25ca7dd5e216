package guard

import (
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
)

// cooldown leaves a replica alone for a while after a remedy, after success too: the alerts' look-back window still
// holds the old samples, and would trigger the remedy again.
func cooldown(r Request) Answer {
	if r.Effects == nil {
		return soon("the past actions could not be read")
	}
	for _, e := range r.Effects {
		mine := e.Workload == r.Target.Workload && e.Replica == r.Target.Replica && e.Remedy == r.Remedy
		if !mine || !happened(e) {
			continue
		}
		if end := ended(e).Add(r.Limits.Cooldown); end.After(r.At) {
			return until(end, "%s was already tried on %s at %s; the cooldown of %s lasts until %s", r.Remedy, r.Target.Replica,
				e.StartedAt.UTC().Format(time.TimeOnly), r.Limits.Cooldown, end.UTC().Format(time.TimeOnly))
		}
	}
	return yes("%s was not tried on %s within %s", r.Remedy, r.Target.Replica, r.Limits.Cooldown)
}

// ended is when an effect ended, or began where it never did.
func ended(e incident.Effect) time.Time {
	if e.FinishedAt != nil {
		return *e.FinishedAt
	}
	return e.StartedAt
}
