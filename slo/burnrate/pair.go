package burnrate

import "time"

// Pair is a burn rate and two windows that must both exceed it before an alert fires: SRE Workbook, chapter 5,
// "Multiwindow, Multi-Burn-Rate Alerts".
type Pair struct {
	BurnRate    float64
	Long, Short time.Duration
}

// Detect is how long after a constant error ratio begins, from no errors before, the first of the pairs fires; false when
// none ever does. Of a pair the long window decides: both fill with the same errors, and the short one fills sooner.
// Evaluation and scrape intervals come on top.
func (s SLO) Detect(errorRatio float64, pairs []Pair) (time.Duration, bool) {
	var first time.Duration
	found := false
	for _, pair := range pairs {
		after, fires := s.TimeToDetect(errorRatio, pair.BurnRate, max(pair.Long, pair.Short))
		if fires && (!found || after < first) {
			first, found = after, true
		}
	}
	return first, found
}

// TimeToReset is how long after the end of a constant error ratio, which lasted for a while and began from no errors before,
// the mean over a window falls to a burn rate again; 0 when it never exceeded it. With b the ratio at that burn rate, e the
// error ratio and W the window: the mean is e (W - t) / W once the fault's beginning has left the window, so t = W (1 - b/e).
// A fault that was shorter than the window leaves it as a whole in the end, and the same t holds.
func (s SLO) TimeToReset(errorRatio, burnRate float64, window, lasted time.Duration) time.Duration {
	detected, fires := s.TimeToDetect(errorRatio, burnRate, window)
	if !fires || detected > lasted {
		return 0
	}
	return time.Duration((1 - s.Ratio(burnRate)/errorRatio) * float64(window))
}

// Reset is how long after the end of a fault the last of the pairs that fired is silent again; false when none had fired. A
// pair is silent as soon as one of its windows is, and that is the short one.
func (s SLO) Reset(errorRatio float64, lasted time.Duration, pairs []Pair) (time.Duration, bool) {
	var last time.Duration
	found := false
	for _, pair := range pairs {
		after, fires := s.TimeToDetect(errorRatio, pair.BurnRate, max(pair.Long, pair.Short))
		if !fires || after > lasted {
			continue
		}
		long := s.TimeToReset(errorRatio, pair.BurnRate, pair.Long, lasted)
		short := s.TimeToReset(errorRatio, pair.BurnRate, pair.Short, lasted)
		last, found = max(last, min(long, short)), true
	}
	return last, found
}
