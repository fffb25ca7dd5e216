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
	bad
)

func (e Edge) verdict(i int) verdict {
	total, within := e.Total[i], e.Good[i]
	switch {
	case math.IsNaN(total) || math.IsNaN(within) || total <= 0:
		return unclear
	case within >= goodShare*total:
		return good
	default:
		return bad
	}
}

// journey is what clients went through, read off the edge's series. Indices are steps of the grid; -1 is none.
type journey struct {
	firstBad, lastBad int
	// recovered is the first step of the first good run after firstBad; relapses counts the bad steps after it.
	recovered int
	// settled is the first step of a good run that no bad step follows: recovered, unless there was a relapse.
	settled  int
	relapses int
	badSteps int
	unclear  int
}

// noJourney is that of an edge which saw nothing bad, or was not seen.
var noJourney = journey{firstBad: -1, lastBad: -1, recovered: -1, settled: -1}

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
		switch e.verdict(i) {
		case good:
			if inARow++; inARow == run {
				j.settled = i - run + 1
				if j.recovered < 0 {
					j.recovered = j.settled
				}
			}
			continue
		case bad:
			j.badSteps++
			j.lastBad, j.settled = i, -1
			if j.recovered >= 0 {
				j.relapses++
			}
		case unclear:
			j.unclear++
		}
		inARow = 0
	}
	return j
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
		case unclear:
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
	worst               float64 // the smallest share of good checkouts in one step
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
		t.slow += max(e.Done[i]-e.Good[i], 0)
		if e.Total[i] > 0 {
			t.worst = min(t.worst, e.Good[i]/e.Total[i])
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
