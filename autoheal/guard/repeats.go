package guard

// repeats stops a heal that is needed again and again, effective or not: it hides a fault that people must mend.
func repeats(r Request) Answer {
	if r.Effects == nil {
		return soon("the past actions could not be read")
	}
	incidents := map[string]bool{}
	for _, e := range r.Effects {
		same := e.Workload == r.Target.Workload && e.Remedy == r.Remedy && e.Cause == r.Cause
		if same && happened(e) && e.IncidentID != r.IncidentID && r.At.Sub(e.LastAt(r.At)) < r.Limits.RepeatsWithin {
			incidents[e.IncidentID] = true
		}
	}
	if len(incidents) >= r.Limits.Repeats {
		return never("%s has had %s for %s %d times within %s: a person must mend the cause", r.Target.Workload, r.Remedy, r.Cause,
			len(incidents), r.Limits.RepeatsWithin)
	}
	return yes("%s has had %s for %s %d times within %s; the limit is %d", r.Target.Workload, r.Remedy, r.Cause, len(incidents),
		r.Limits.RepeatsWithin, r.Limits.Repeats)
}
