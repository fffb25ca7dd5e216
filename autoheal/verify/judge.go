package verify

import (
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
)

// GoodRatio is the share of good checkouts from which the edge is well.
const GoodRatio = 0.95

// Judge turns counters into readings and counts how many in a row were good or bad. The zero value is ready; it is not
// safe for concurrent use.
type Judge struct {
	// Mitigated means that the remedy is meant to mitigate: what was taken for later (202) counts as good, and what was turned
	// away on purpose does not count.
	Mitigated bool

	last Readout // nil while there is nothing to compare with
	good int
	bad  int
}

// Good is the number of good readings in a row; whatever is not good, unknown included, breaks the row.
func (j *Judge) Good() int { return j.good }

// Bad is the number of readings in a row that are known to be bad; an unknown one neither adds nor breaks.
func (j *Judge) Bad() int { return j.bad }

// Take takes the counters of one moment, or the error that came instead. The first counters are the base that the next
// are compared with, and no reading: the second result is false.
func (j *Judge) Take(at time.Time, now Readout, err error) (incident.Reading, bool) {
	if err != nil {
		j.last = nil // what passes until the next answer cannot be told apart by second
		j.good = 0
		return incident.Reading{At: at, Status: incident.Unknown}, true
	}
	before := j.last
	j.last = now
	if before == nil {
		return incident.Reading{}, false
	}
	passed := now.Since(before)
	r := incident.Reading{At: at, Total: passed.Total, Good: passed.Good, Accepted: passed.Accepted, Shed: passed.Shed, Status: incident.Known}
	switch {
	case j.counted(r) <= 0:
		r.Status = incident.Unknown
		j.good = 0
	case j.well(r)/j.counted(r) >= GoodRatio:
		r.OK = true
		j.good++
		j.bad = 0
	default:
		j.good = 0
		j.bad++
	}
	return r, true
}

// well is how many of a reading's checkouts count as good.
func (j *Judge) well(r incident.Reading) float64 {
	if j.Mitigated {
		return r.Good + r.Accepted
	}
	return r.Good
}

// counted is how many of a reading's checkouts count at all.
func (j *Judge) counted(r incident.Reading) float64 {
	if j.Mitigated {
		return r.Total - r.Shed
	}
	return r.Total
}

// Since adds up what passed each instance. A new one has only its base yet, and one that is gone has taken its last second
// with it.
func (now Readout) Since(before Readout) Counts {
	var passed Counts
	for id, c := range now {
		base, known := before[id]
		if !known {
			continue
		}
		if c.Total < base.Total || c.Good < base.Good || c.Accepted < base.Accepted {
			base = Counts{} // it was restarted: its counters began at zero
		}
		passed.Total += c.Total - base.Total
		passed.Good += c.Good - base.Good
		passed.Accepted += c.Accepted - base.Accepted
		passed.Shed += max(0, c.Shed-base.Shed)
	}
	return passed
}
