package diagnose

import (
	"cmp"
	"slices"

	"github.com/faultline-lab/faultline/autoheal/evidence"
	"github.com/faultline-lab/faultline/autoheal/incident"
)

// of gives the known facts of a name, the greatest first.
func of(facts evidence.Facts, name string) []incident.Fact {
	var found []incident.Fact
	for _, f := range facts {
		if f.Name == name && f.Status == incident.Known {
			found = append(found, f)
		}
	}
	slices.SortFunc(found, func(a, b incident.Fact) int {
		return cmp.Or(cmp.Compare(b.Value, a.Value), cmp.Compare(a.Subject, b.Subject), cmp.Compare(pid(a), pid(b)))
	})
	return found
}

func pid(f incident.Fact) int {
	if f.Session == nil {
		return 0
	}
	return f.Session.PID
}

// sessions are those that facts are about, sorted by application and pid.
func sessions(facts []incident.Fact) []incident.Session {
	var found []incident.Session
	for _, f := range facts {
		if f.Session != nil {
			found = append(found, *f.Session)
		}
	}
	slices.SortFunc(found, func(a, b incident.Session) int {
		return cmp.Or(cmp.Compare(a.Application, b.Application), cmp.Compare(a.PID, b.PID))
	})
	return found
}

// applications are their names, sorted.
func applications(facts []incident.Fact) []string {
	names := []string{}
	for _, f := range facts {
		if !slices.Contains(names, f.Subject) {
			names = append(names, f.Subject)
		}
	}
	slices.Sort(names)
	return names
}

// first says who the first of some facts is about, and what that one does.
func first(facts []incident.Fact) string {
	if len(facts) == 0 {
		return "nobody"
	}
	return facts[0].Subject + " (" + facts[0].Detail + ")"
}

// oldest is the greatest age among them, in seconds.
func oldest(facts []incident.Fact) float64 {
	age := 0.0
	for _, f := range facts {
		age = max(age, f.Value)
	}
	return age
}
