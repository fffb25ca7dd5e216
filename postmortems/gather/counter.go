package gather

import (
	"math"

	"github.com/faultline-lab/faultline/postmortems/report"
)

// member is one series laid on the grid: a value for the instant before the grid's first, then one for each of the
// grid's, NaN where there was no sample. owner is the process that exports it.
type member struct {
	owner  string
	values []float64
}

// present says at which instants each owner had any sample: where it had one, a series of its that is absent has not
// begun to count, rather than being unknown.
type present map[string][]bool

func presence(members []member, n int) present {
	p := present{}
	for _, m := range members {
		if p[m.owner] == nil {
			p[m.owner] = make([]bool, n+1)
		}
		for i, v := range m.values {
			if !math.IsNaN(v) {
				p[m.owner][i] = true
			}
		}
	}
	return p
}

// increments returns how much the counters grew, all together, in the step before each of n instants. Series by series:
//   - a value smaller than the one before it is a restart, and counts in full;
//   - a series that begins while its owner was already there began at zero, which is how the first failure of a kind
//     shows (PromQL's increase() does not see that first jump);
//   - after a gap there is nothing to compare with: the step is unknown, unless another owner was seen in it.
func increments(members []member, owners present, n int) report.Line {
	line := report.NewLine(n)
	for owner := range owners {
		for i := range n {
			// A step needs its owner at both ends.
			if owners[owner][i] && owners[owner][i+1] && math.IsNaN(line[i]) {
				line[i] = 0
			}
		}
	}
	for _, m := range members {
		seen := owners[m.owner]
		if seen == nil {
			continue
		}
		for i := range n {
			if seen[i] && seen[i+1] {
				line[i] += growth(m.values[i], m.values[i+1])
			}
		}
	}
	return line
}

// growth of a counter between two samples of a process that was there both times.
func growth(from, to float64) float64 {
	switch {
	case math.IsNaN(to): // the series is not there (any more): a restarted process has not counted such a thing yet
		return 0
	case math.IsNaN(from), to < from:
		return to
	default:
		return to - from
	}
}
