package loadgen

import (
	"slices"
	"time"
)

// arrivals gives the intended send times of one second: evenly spaced, each in the middle of its slot, so that none
// lies on the border of two seconds.
func arrivals(second time.Time, perSecond int) []time.Time {
	times := make([]time.Time, perSecond)
	for k := range times {
		offset := time.Duration(2*k+1) * time.Second / time.Duration(2*perSecond)
		times[k] = second.Add(offset)
	}
	return times
}

// nextSecond is the first whole wall-clock second after now. It keeps now's monotonic reading, so that the pace is even
// whatever is done to the wall clock.
func nextSecond(now time.Time) time.Time {
	return now.Add(time.Second - time.Duration(now.Nanosecond()))
}

// arrival is one request to come.
type arrival struct {
	at     time.Time
	browse bool
}

// merge puts checkouts and browsing in the order of their times.
func merge(checkouts, browses []time.Time) []arrival {
	all := make([]arrival, 0, len(checkouts)+len(browses))
	for _, at := range checkouts {
		all = append(all, arrival{at: at})
	}
	for _, at := range browses {
		all = append(all, arrival{at: at, browse: true})
	}
	slices.SortStableFunc(all, func(a, b arrival) int { return a.at.Compare(b.at) })
	return all
}

// maxClockStep is how far the wall clock may be from the monotonic one before seconds are counted anew.
const maxClockStep = 100 * time.Millisecond

// clockStep is how far the wall clock has been moved, or the machine has slept, since planned was computed: the
// difference between what the wall clock and the monotonic clock say about the time from planned to now. Seconds must
// be wall-clock seconds, because other programs' times are held against them.
func clockStep(planned, now time.Time) time.Duration {
	return now.Round(0).Sub(planned.Round(0)) - now.Sub(planned)
}
