package guard

// globalInFlight bounds on how many workloads the healer acts at once: a healer that acts everywhere is an outage.
func globalInFlight(r Request) Answer {
	if r.Leases == nil {
		return soon("the leases could not be read")
	}
	others := 0
	for _, l := range r.Leases {
		if l.Holder != r.IncidentID && l.ExpiresAt.After(r.At) {
			others++
		}
	}
	if others >= r.Limits.InFlight {
		return soon("%d actions are in flight; the limit is %d", others, r.Limits.InFlight)
	}
	return yes("%d other actions are in flight; the limit is %d", others, r.Limits.InFlight)
}
