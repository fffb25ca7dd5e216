package signature

import (
	"fmt"
	"slices"
)

// Verdict is what a predicate says about a fault in all of its recordings together.
type Verdict string

// The verdicts.
const (
	Yes   Verdict = "yes"
	No    Verdict = "no"
	Mixed Verdict = "mixed" // now this, now that: it separates the fault from nothing
	Blind Verdict = "blind" // telemetry could not tell, at least once
)

// Finding is one cell of the table of predicates and faults.
type Finding struct {
	Held, Failed, Mute int // looks in which the predicate held, did not, or could not be told
	// Least and Most are the extremes of what was measured; meaningless where all were mute.
	Least, Most float64
}

// Verdict sums the looks up.
func (f Finding) Verdict() Verdict {
	switch {
	case f.Held > 0 && f.Failed > 0:
		return Mixed
	case f.Mute > 0 || f.Held+f.Failed == 0:
		return Blind
	case f.Held > 0:
		return Yes
	default:
		return No
	}
}

// Matrix is what all recordings say.
type Matrix struct {
	Faults     []string // Healthy first, then the experiments by name
	Predicates []Predicate
	findings   map[string]map[string]Finding // by fault and predicate
}

// settled leaves out the looks of an alert's first moments: windows of three scrapes still hold what was before.
const settled = 3.0

// Judge reads the recordings: the looks before each injection are those of the healthy system, and of the looks after it those
// count in which the windows hold nothing from before the alert. It fails when a recording has no look that counts, or one
// lacks a fact that a predicate reads.
func Judge(recordings []Recording) (Matrix, error) {
	m := Matrix{Predicates: Predicates(), findings: map[string]map[string]Finding{}}
	for _, recording := range recordings {
		looks := recording.Settled()
		if len(looks) == 0 {
			return Matrix{}, fmt.Errorf("%s has no look %g s after the alert: record it anew", recording.File(), settled)
		}
		if err := m.add(Healthy, recording, recording.Before); err != nil {
			return Matrix{}, err
		}
		for _, look := range looks {
			if err := m.add(recording.Experiment, recording, look); err != nil {
				return Matrix{}, err
			}
		}
	}
	for fault := range m.findings {
		if fault != Healthy {
			m.Faults = append(m.Faults, fault)
		}
	}
	slices.Sort(m.Faults)
	m.Faults = slices.Insert(m.Faults, 0, Healthy)
	return m, nil
}

// Settled returns the looks that count: those that began 3 s or more after the alert, or, where none is expected, all of them.
func (r Recording) Settled() []Look {
	if r.AlertAt == nil {
		return r.During
	}
	from := r.AlertAt.Sub(r.InjectedAt).Seconds() + settled
	first := slices.IndexFunc(r.During, func(look Look) bool { return look.After >= from })
	if first < 0 {
		return nil
	}
	return r.During[first:]
}

func (m Matrix) add(fault string, recording Recording, look Look) error {
	if m.findings[fault] == nil {
		m.findings[fault] = map[string]Finding{}
	}
	for _, predicate := range m.Predicates {
		for _, name := range predicate.Reads {
			if !look.Has(name) {
				return fmt.Errorf("%s lacks the fact %s at %.1f s, which %s reads: record it anew with `signature record %s --seed=%d`",
					recording.File(), name, look.After, predicate.Name, recording.Experiment, recording.Seed)
			}
		}
		value, known := predicate.Value(look)
		m.findings[fault][predicate.Name] = m.findings[fault][predicate.Name].with(predicate, value, known)
	}
	return nil
}

// with adds one look to a finding.
func (f Finding) with(predicate Predicate, value float64, known bool) Finding {
	if !known {
		f.Mute++
		return f
	}
	if f.Held+f.Failed == 0 {
		f.Least, f.Most = value, value
	}
	f.Least, f.Most = min(f.Least, value), max(f.Most, value)
	if predicate.Holds(value) {
		f.Held++
	} else {
		f.Failed++
	}
	return f
}

// Finding says what a predicate found in all recordings of a fault.
func (m Matrix) Finding(fault, predicate string) Finding { return m.findings[fault][predicate] }

// Separate lists the predicates that tell two faults apart: they always hold for one, and never for the other.
func (m Matrix) Separate(a, b string) []Predicate {
	var found []Predicate
	for _, predicate := range m.Predicates {
		one, other := m.Finding(a, predicate.Name).Verdict(), m.Finding(b, predicate.Name).Verdict()
		if one == Yes && other == No || one == No && other == Yes {
			found = append(found, predicate)
		}
	}
	return found
}
