package guard

// oneInFlight allows one incident at a time to act on a workload. The right to do so is a lease: it expires, so that a
// healer which died does not block the workload for ever.
func oneInFlight(r Request) Answer {
	if r.Leases == nil {
		return soon("the leases could not be read")
	}
	for _, l := range r.Leases {
		if l.Target == r.Target.Workload && l.Holder != r.IncidentID && l.ExpiresAt.After(r.At) {
			return until(l.ExpiresAt, "incident %s is acting on %s", l.Holder, l.Target)
		}
	}
	return yes("nobody else is acting on %s", r.Target.Workload)
}
