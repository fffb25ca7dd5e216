package signature

import "slices"

// Signature is what a fault must show, and what it must not: together they hold for it alone.
type Signature struct{ Shows, Lacks []string }

// Signatures are those of DESIGN's table ("what decides"), by experiment.
func Signatures() map[string]Signature {
	return map[string]Signature{
		Healthy:           {Lacks: []string{"customers-suffer", "callers-give-up", "young-replica"}},
		"bad-release":     {Shows: []string{"leaks-on-new-release"}},
		"connection-leak": {Shows: []string{"leaked-connections"}, Lacks: []string{"leaks-on-new-release"}},
		"lock-contention": {Shows: []string{"old-lock-root"}},
		"look-alike":      {Shows: []string{"callers-give-up"}, Lacks: []string{"customers-suffer"}},
		"network-latency": {Shows: []string{"slow-round-trip"}},
		"process-kill":    {Shows: []string{"young-replica"}, Lacks: []string{"customers-suffer", "callers-give-up"}},
		"server-cap":      {Shows: []string{"foreign-sessions"}},
		"slow-downstream": {Shows: []string{"slow-payments"}},
		"slow-query":      {Shows: []string{"long-queries"}},
		"traffic-surge":   {Shows: []string{"more-customers"}, Lacks: []string{"long-holds"}},
	}
}

// Matches says whether a fault has a signature in every look, and whether it has it in no look, because a part of it was never
// seen. What could not be told was not seen.
func (m Matrix) Matches(fault string, s Signature) (always, never bool) {
	always = true
	for _, predicate := range s.Shows {
		f := m.Finding(fault, predicate)
		always, never = always && f.Verdict() == Yes, never || f.Held == 0
	}
	for _, predicate := range s.Lacks {
		f := m.Finding(fault, predicate)
		always, never = always && f.Verdict() == No, never || f.Failed == 0
	}
	return always, never
}

// In says that one look has all of the signature.
func (s Signature) In(look Look) bool {
	holds := func(name string) (held, known bool) {
		predicate, there := Find(name)
		if !there {
			return false, false
		}
		value, known := predicate.Value(look)
		return predicate.Holds(value), known
	}
	shown := !slices.ContainsFunc(s.Shows, func(name string) bool { held, known := holds(name); return !held || !known })
	return shown && !slices.ContainsFunc(s.Lacks, func(name string) bool { held, known := holds(name); return held || !known })
}

// SeenAfter is how long after the alert a fault's signature was first seen whole, in the slowest of its recordings, in seconds;
// after the injection where no alert is expected. False where it was not seen in one of them.
func SeenAfter(fault string, recordings []Recording) (slowest float64, seen bool) {
	for _, recording := range recordings {
		if recording.Experiment != fault {
			continue
		}
		first := slices.IndexFunc(recording.During, Signatures()[fault].In)
		if first < 0 {
			return 0, false
		}
		after := recording.During[first].After
		if recording.AlertAt != nil {
			after -= recording.AlertAt.Sub(recording.InjectedAt).Seconds()
		}
		slowest, seen = max(slowest, after), true
	}
	return slowest, seen
}
