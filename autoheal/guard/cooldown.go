package guard

import (
	"slices"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
)

// cooldown leaves a replica alone for a while after a remedy, after success too: the alerts' look-back window still
// holds the old samples, and would trigger the remedy again. What took a replica's place under another name stands in its
// shoes.
func cooldown(r Request) Answer {
	if r.Effects == nil {
		return soon("the past actions could not be read")
	}
	for _, e := range r.Effects {
		mine := e.Workload == r.Target.Workload && e.Remedy == r.Remedy && concerns(r, e)
		if !mine || !happened(e) || r.takenBack(e) {
			continue
		}
		if end := ended(e).Add(r.Limits.Cooldown); end.After(r.At) {
			return until(end, "%s was already tried on %s at %s; the cooldown of %s lasts until %s", r.Remedy, e.Replica,
				e.StartedAt.UTC().Format(time.TimeOnly), r.Limits.Cooldown, end.UTC().Format(time.TimeOnly))
		}
	}
	return yes("%s was not tried on %s within %s", r.Remedy, r.Target.Name, r.Limits.Cooldown)
}

// takenBack says whether an effect was a change for as long as the fault lasts, made by this very incident, and is undone: it
// was taken back too early, and may be made again. What another incident undid is left alone like everything else.
func (r Request) takenBack(e incident.Effect) bool {
	return e.IncidentID == r.IncidentID && slices.ContainsFunc(r.Prior, func(a incident.Action) bool {
		return a.Key == e.Key && a.Undo != nil && a.Undo.Lasting && a.Undo.State == incident.Undone
	})
}

// concerns says whether the target is the effect's replica or may have taken its place. Where a restart gives another
// name and nobody knows which one has the place by now (it failed, or its end is unknown, or somebody replaced the
// replacement as well), it may be any replica of the workload. Only replicas take the places of others.
func concerns(r Request, e incident.Effect) bool {
	heirs := append([]string{e.Replica}, e.ReplacedBy...)
	if slices.Contains(heirs, r.Target.Name) {
		return true
	}
	return r.Workload != nil && r.Target.Kind == incident.ReplicaTarget && !slices.ContainsFunc(heirs, func(id string) bool {
		_, there := r.Workload.Replica(id)
		return there
	})
}

// ended is when an effect ended, or began where it never did.
func ended(e incident.Effect) time.Time {
	if e.FinishedAt != nil {
		return *e.FinishedAt
	}
	return e.StartedAt
}
