package signature

import (
	"slices"
	"strings"
)

// Predicate is one named piece of evidence: a figure of a look, held against a threshold.
type Predicate struct {
	Name  string
	Says  string   // what it says when it holds, as a sentence
	Reads []string // names of the facts that Value reads
	// Threshold is what the value must reach to hold (or, with Below, stay under).
	Threshold float64
	Below     bool
	Unit      string
	Why       string // why the threshold is where it is
	// Value is the figure; false where telemetry cannot tell.
	Value func(Look) (float64, bool)
}

// Holds judges a figure.
func (p Predicate) Holds(value float64) bool {
	if p.Below {
		return value < p.Threshold
	}
	return value >= p.Threshold
}

// Find returns a predicate by name; false where there is none.
func Find(name string) (Predicate, bool) {
	at := slices.IndexFunc(Predicates(), func(p Predicate) bool { return p.Name == name })
	if at < 0 {
		return Predicate{}, false
	}
	return Predicates()[at], true
}

// of says that a subject belongs to a workload: it is the workload, a replica of it, or a part of that.
func of(workload, subject string) bool {
	return subject == workload || strings.HasPrefix(subject, workload+"-") || strings.HasPrefix(subject, workload+"/")
}

// largest gives the greatest value of a fact among the subjects of a workload.
func largest(name, workload string) func(Look) (float64, bool) {
	return func(look Look) (float64, bool) {
		return fold(look, name, workload, func(sum, value float64) float64 { return max(sum, value) })
	}
}

// total adds the values of a fact up among the subjects of a workload.
func total(name, workload string) func(Look) (float64, bool) {
	return func(look Look) (float64, bool) {
		return fold(look, name, workload, func(sum, value float64) float64 { return sum + value })
	}
}

// least gives the least value of a fact among the subjects of a workload.
func least(name, workload string) func(Look) (float64, bool) {
	return func(look Look) (float64, bool) {
		return fold(look, name, workload, func(sum, value float64) float64 { return min(sum, value) })
	}
}

func fold(look Look, name, workload string, add func(sum, value float64) float64) (float64, bool) {
	var result float64
	known := false
	for _, fact := range look.of(name) {
		switch {
		case !of(workload, fact.Subject):
		case !known:
			result, known = fact.Value, true
		default:
			result = add(result, fact.Value)
		}
	}
	return result, known
}

// leaked counts connections of orders that its pools call used and Postgres calls idle, for longer than anybody may hold
// one; with newer, only those of replicas whose version is younger than another that served.
func leaked(newer bool) func(Look) (float64, bool) {
	return func(look Look) (float64, bool) {
		var sum float64
		known := false
		for _, idle := range look.of(SessionsIdleLong) {
			pool, there := look.get(PoolIdle, idle.Subject)
			lead, dated := look.get(ReleaseLead, idle.Subject)
			if !there || !of("orders", idle.Subject) || newer && !dated {
				continue
			}
			known = true
			if !newer || lead > 0 {
				sum += max(0, idle.Value-pool)
			}
		}
		return sum, known
	}
}

func (l Look) get(name, subject string) (float64, bool) {
	for _, fact := range l.of(name) {
		if fact.Subject == subject {
			return fact.Value, true
		}
	}
	return 0, false
}
