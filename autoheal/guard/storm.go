package guard

// storm stops everything where much is in trouble at once: the likeliest cause is then one that no remedy of the healer's
// mends, or its own senses, and people must know at once.
func storm(r Request) Answer {
	switch {
	case r.OpenIncidents < 0:
		return soon("the open incidents could not be counted")
	case r.OpenIncidents >= r.Limits.Storm:
		return never("%d other incidents are open, and %d are a storm: nothing is done any more, a person must look at the whole",
			r.OpenIncidents, r.Limits.Storm)
	}
	return yes("%d other incidents are open; %d would be a storm", r.OpenIncidents, r.Limits.Storm)
}
