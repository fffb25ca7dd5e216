package report

import (
	"math"
	"time"
)

// goodShare of a second's checkouts must be good for the second to be good, and goodRun such seconds in a row are a
// recovery (the same measure as the study's: 95 %, 10 seconds running).
const (
	goodShare = 0.95
	goodRun   = 10 * time.Second
)

// verdict is what one step of the edge's series says.
type verdict int

const (
	unclear verdict = iota // unknown, or nothing passed
	good
	later // good only if orders that were taken for later count as good
	bad
)

func (e Edge) verdict(i int) verdict {
	total, within := e.Total[i], e.Good[i]
	switch {
	case math.IsNaN(total) || math.IsNaN(within) || total <= 0:
		return unclear
	case within >= goodShare*total:
		return good
	case within+e.taken(i) >= goodShare*total:
		return later
	default:
		return bad
	}
}

// taken is how many orders were only taken for later in a step; 0 where nobody counted or can tell.
func (e Edge) taken(i int) float64 {
	if i >= len(e.Taken) || math.IsNaN(e.Taken[i]) {
		return 0
	}
	return e.Taken[i]
}

// journey is what clients went through, read off the edge's series. Indices are steps of the grid; -1 is none.
type journey struct {
	firstBad, lastBad int
	// recovered is the first step of the first good run after firstBad; relapses counts the bad steps after it.
	recovered int
	// settled is the first step of a good run that no bad step follows: recovered, unless there was a relapse.
	settled int
	// mitigated is the first step of the first run whose orders were completed or at least taken for later. It is -1 where no
	// step of it needed the latter.
	mitigated  int
	relapses   int
	badSteps   int
	laterSteps int
	unclear    int
}

// noJourney is that of an edge which saw nothing bad, or was not seen.
var noJourney = journey{firstBad: -1, lastBad: -1, recovered: -1, settled: -1, mitigated: -1}

// follow finds the bad spell that belongs to the alert: a bad second that a whole good run separates from the alert is
// another story.
func follow(e Edge, g Grid, alert time.Time) journey {
	j := noJourney
	run := max(int(goodRun/max(g.Step, time.Second)), 1)
	j.firstBad = firstBad(e, g, alert, run)
	if j.firstBad < 0 {
		return j
	}
	inARow := 0
	for i := j.firstBad; i < g.Len; i++ {
		v := e.verdict(i)
		if v == good {
			if inARow++; inARow == run {
				j.settled = i - run + 1
				if j.recovered < 0 {
					j.recovered = j.settled
				}
			}
			continue
		}
		inARow = 0
		j.stumble(v, i)
	}
	j.mitigated = mitigated(e, g, j.firstBad, run)
	return j
}

// stumble counts a step that was not good.
func (j *journey) stumble(v verdict, i int) {
	switch v {
	case unclear:
		j.unclear++
		return
	case later:
		j.laterSteps++
	default:
		j.badSteps++
	}
	j.lastBad, j.settled = i, -1
	if j.recovered >= 0 {
		j.relapses++
	}
}

// mitigated finds the first run in which orders were completed or at least taken for later; -1 where all were completed.
func mitigated(e Edge, g Grid, from, run int) int {
	inARow, taken := 0, 0
	for i := from; i < g.Len; i++ {
		switch e.verdict(i) {
		case later:
			inARow, taken = inARow+1, taken+1
		case good:
			inARow++
		default:
			inARow, taken = 0, 0
		}
		if inARow == run {
			if taken == 0 {
				return -1
			}
			return i - run + 1
		}
	}
	return -1
}

func firstBad(e Edge, g Grid, alert time.Time, run int) int {
	first, inARow := -1, 0
	last := g.Len - 1
	for last >= 0 && g.At(last).After(alert) {
		last--
	}
	for i := last; i >= 0 && inARow < run; i-- {
		switch e.verdict(i) {
		case bad:
			first, inARow = i, 0
		case good:
			inARow++
		case unclear, later:
			inARow = 0
		}
	}
	for i := last + 1; first < 0 && i < g.Len; i++ {
		if e.verdict(i) == bad {
			first = i
		}
	}
	return first
}

// toll is what the incident cost its clients, from the first bad second until it was well for good (or to the end of the window).
type toll struct {
	total, failed, slow float64
	taken               float64 // for later, in time
	worst               float64 // the smallest share of good checkouts in one step, those taken for later counted
	blind               int     // steps without a reading: the sums are at least this
}

func (j journey) toll(e Edge, g Grid) toll {
	t := toll{worst: 1}
	end := g.Len
	if j.settled >= 0 {
		end = j.settled
	}
	for i := max(j.firstBad, 0); i < end; i++ {
		if math.IsNaN(e.Total[i]) || math.IsNaN(e.Done[i]) || math.IsNaN(e.Good[i]) {
			t.blind++
			continue
		}
		t.total += e.Total[i]
		t.failed += max(e.Total[i]-e.Done[i], 0)
		t.taken += e.taken(i)
		t.slow += max(e.Done[i]-e.Good[i]-e.taken(i), 0)
		if e.Total[i] > 0 {
			t.worst = min(t.worst, (e.Good[i]+e.taken(i))/e.Total[i])
		}
	}
	return t
}

// before is the mean rate of checkouts per second ahead of the first bad second; NaN when nothing was seen of it.
func (j journey) before(e Edge, g Grid) float64 {
	sum, n := 0.0, 0
	for i := 0; i < j.firstBad; i++ {
		if !math.IsNaN(e.Total[i]) {
			sum += e.Total[i]
			n++
		}
	}
	if n == 0 || g.Step <= 0 {
		return math.NaN()
	}
	return sum / (float64(n) * g.Step.Seconds())
}
